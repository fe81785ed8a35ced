/* What htmx asks for, and what is said when no good answer comes. */

import { busy } from "./once.js";
import { complain, say } from "./page.js";

const sendingForm = (elt) => (elt?.matches?.("form") && elt.method === "post" ? elt : null);
// An address to be shared names what is filtered, not every field that stayed empty.
export const FILTERS = ".filter-form, .chip-panel";
document.addEventListener("htmx:configRequest", ({ detail }) => {
  if (!detail.elt.matches(FILTERS)) return;
  for (const [name, value] of [...detail.formData.entries()]) if (value === "") detail.formData.delete(name);
});
document.addEventListener("htmx:beforeRequest", (event) => {
  const { elt, requestConfig } = event.detail;
  // Polling rests in a tab that nobody sees.
  const polls = /\bevery\b/.test(elt.getAttribute("hx-trigger") || "");
  if (polls && document.hidden && !requestConfig.triggeringEvent) return event.preventDefault();
  busy(sendingForm(elt), true);
  event.detail.target?.addEventListener?.("htmx:beforeSwap", tooLate);
});
// The answer to a page that was left meanwhile changes nothing on the page that came after it; nor
// does one to a piece that was replaced: it would be looked for in what is no longer shown.
const tooLate = ({ target, detail }) => {
  const asked = detail.requestConfig?.elt;
  if (target.isConnected || (document.getElementById(target.id) && asked?.isConnected)) return;
  detail.shouldSwap = false;
};
// The form itself may have been swapped away: then the event comes from what is left around it.
document.addEventListener("htmx:afterRequest", ({ detail }) => busy(sendingForm(detail.requestConfig?.elt || detail.elt), false));

const quiet = (detail) => /\b(load|every)\b/.test(detail.elt?.getAttribute?.("hx-trigger") || "");
const offline = ({ detail }) => { if (!quiet(detail)) complain(say("OfflineTitle"), say("Offline")); };
document.addEventListener("htmx:sendError", offline);
document.addEventListener("htmx:timeout", offline);
document.addEventListener("htmx:responseError", ({ detail }) => {
  if (quiet(detail)) return;
  const status = detail.xhr.status;
  const text = status === 403 ? say("Refused") : status === 404 || status === 409 ? say("Gone") : say("Failed");
  complain("", text);
});
document.addEventListener("htmx:beforeSwap", () => document.getElementById("complaint")?.remove());
