/* A draft is kept as it is typed: form[data-keeps] is sent to its own address with act=keep some
   moments after the last key, before a link leads away, and when the page is left. What comes back
   are pieces with the ids that they replace. After “somebody saved in between” it rests. */

import { complain, say } from "./page.js";

const keeping = { timer: 0, dirty: false, resting: false, running: null };
const keptForm = () => document.querySelector("form[data-keeps]");
const SAFE_BODY = 60000; // what a browser still sends of a page that is gone

function keptBody(form) {
  const body = new URLSearchParams(new FormData(form));
  body.set("act", "keep");
  return body;
}
function replacePieces(html) {
  for (const piece of [...new DOMParser().parseFromString(html, "text/html").body.children]) {
    document.getElementById(piece.id)?.replaceWith(piece);
    window.htmx?.process(piece); // a button outside its form is only heard when htmx knows it
  }
}
async function keepDraft() {
  clearTimeout(keeping.timer);
  if (keeping.running) await keeping.running;
  const form = keptForm();
  // A button's answer brings the next stamp; with the old one we would be in conflict with ourselves.
  if (form?.hasAttribute("data-sending")) return !keeping.dirty;
  if (!form || !keeping.dirty || keeping.resting) return !keeping.dirty;
  keeping.dirty = false;
  keeping.running = fetch(form.action, { method: "POST", body: keptBody(form), headers: { "HX-Request": "true" } })
    .then(async (answer) => {
      if (answer.redirected || answer.headers.has("HX-Redirect") || !(answer.ok || answer.status === 409)) throw new Error(answer.status);
      keeping.resting = answer.status === 409;
      replacePieces(await answer.text());
      if (keeping.resting) keeping.dirty = true;
      document.getElementById("complaint")?.remove();
      return answer.ok;
    })
    .catch(() => {
      keeping.dirty = true;
      complain(say("OfflineTitle"), say("Offline"));
      return false;
    })
    .finally(() => { keeping.running = null; });
  return keeping.running;
}
document.addEventListener("input", (event) => {
  if (!event.target.closest?.("form[data-keeps]")) return;
  keeping.dirty = true;
  clearTimeout(keeping.timer);
  keeping.timer = setTimeout(keepDraft, 1200);
});
// The other way round: a button waits for what is being kept, and then sends its stamp.
document.addEventListener("htmx:confirm", (event) => {
  if (event.detail.elt !== keptForm()) return;
  clearTimeout(keeping.timer);
  if (!keeping.running) return;
  event.preventDefault();
  keeping.running.then(() => event.detail.issueRequest(true));
});
// A dialog speaks of the draft as it is stored: what is typed is kept before it opens.
document.addEventListener("htmx:confirm", (event) => {
  if (event.detail.verb !== "get" || event.detail.target?.id !== "dialog" || !keptForm() || !keeping.dirty || keeping.resting) return;
  event.preventDefault();
  keepDraft().then((kept) => { if (kept) event.detail.issueRequest(true); });
});
// Refused, or no answer: what was typed is not saved, and is kept by itself after all.
document.addEventListener("htmx:afterRequest", ({ detail }) => {
  if (detail.elt !== keptForm() || !keeping.dirty) return;
  clearTimeout(keeping.timer);
  keeping.timer = setTimeout(keepDraft, 1200);
});
document.addEventListener("htmx:afterSwap", ({ target }) => {
  if (target.id !== "editor" && !target.querySelector?.("form[data-keeps]")) return;
  // The server has answered with the whole editor: what is wrong with it stands there.
  Object.assign(keeping, { dirty: Boolean(document.querySelector("#editor .is-invalid, #editor .alert-danger")), resting: false });
  clearTimeout(keeping.timer);
});
// A button with an address of its own (the PDF in a new tab) is the browser's business, not htmx's.
document.addEventListener("submit", (event) => {
  if (event.submitter?.hasAttribute("data-native")) event.stopImmediatePropagation();
}, true);
document.addEventListener("click", async (event) => {
  const link = event.target.closest("a[href]");
  if (!link || !keeping.dirty || keeping.resting || event.defaultPrevented) return;
  if (link.target || link.hasAttribute("hx-get") || link.hash || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
  event.preventDefault();
  if (await keepDraft()) location.assign(link.href);
});
addEventListener("pagehide", () => {
  const form = keptForm();
  if (!form || !keeping.dirty || keeping.resting) return;
  const body = keptBody(form);
  if (String(body).length < SAFE_BODY) fetch(form.action, { method: "POST", body, keepalive: true, headers: { "HX-Request": "true" } });
});
addEventListener("beforeunload", (event) => {
  const form = keptForm();
  if (form && keeping.dirty && (keeping.resting || document.getElementById("complaint") || String(keptBody(form)).length >= SAFE_BODY)) event.preventDefault();
});
// What an empty field means (the due date by the terms) stands in it, and follows what is typed.
document.addEventListener("htmx:afterSettle", ({ target }) => {
  const hint = target.matches?.("[data-placeholder]") ? target : null;
  const field = hint && document.getElementById(hint.id.replace(/-h$/, ""));
  if (field) field.placeholder = hint.dataset.placeholder;
});
// Whoever begins to type instalments by hand begins with what the terms said.
document.addEventListener("change", ({ target }) => {
  if (target.id !== "id_terms" || target.value !== "by-hand") return;
  const dues = document.getElementById("id_dues");
  if (dues && !dues.value.trim()) dues.value = document.getElementById("totals")?.dataset.dues ?? "";
  dues?.focus();
});
// Fields that cannot be read turn red at once.
document.addEventListener("htmx:afterSettle", () => {
  const wrong = document.getElementById("wrong-fields")?.dataset.names;
  if (wrong === undefined || !document.activeElement?.closest?.("form[data-keeps]")) return;
  const names = new Set(wrong.split(" "));
  for (const field of keptForm().elements) {
    if (!field.name || field.type === "hidden") continue;
    field.classList.toggle("is-invalid", names.has(field.name));
    names.has(field.name) ? field.setAttribute("aria-invalid", "true") : field.removeAttribute("aria-invalid");
  }
});
