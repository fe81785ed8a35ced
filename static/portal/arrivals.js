/* What a page, or a piece that htmx brought, needs when it arrives. */

import { drawCharts } from "./charts.js";
import { focusLine } from "./editor.js";
import { openFilter } from "./filters.js";
import { refreshSelection } from "./lists.js";
import { say } from "./page.js";
import { FILTERS } from "./requests.js";

document.addEventListener("htmx:afterSettle", ({ target, detail }) => {
  const source = detail.requestConfig?.elt;
  if (source?.hasAttribute?.("data-focus-first")) {
    const list = document.getElementById(target.id) || target;
    list.querySelector(".row-link")?.focus({ preventScroll: true });
    list.scrollIntoView({ block: "start" });
  }
  if (source?.hasAttribute?.("data-filter-load")) openFilter();
  if (source?.matches?.(FILTERS)) {
    const list = document.getElementById(target.id) || target;
    list.querySelector(":is(.filter-more, .chip-more) > summary")?.focus({ preventScroll: true });
  }
  if (source?.hasAttribute?.("data-add-line")) {
    focusLine(document.querySelector("table.lines-grid tbody tr:last-child"));
  }
});

function wake(within) {
  const lists = [...within.querySelectorAll("[data-list]")];
  if (within.matches?.("[data-list]")) lists.push(within);
  lists.forEach(refreshSelection);
  // A box that scrolls sideways must be reachable by keyboard; one that does not must not be a stop.
  within.querySelectorAll(".scroll-x").forEach((box) => {
    if (box.scrollWidth <= box.clientWidth) return;
    box.tabIndex = 0;
    box.setAttribute("role", "region");
    box.setAttribute("aria-label", box.querySelector("caption, h2, h3")?.textContent || say("Scrolls"));
  });
  within.querySelectorAll(".tabs").forEach((tabs) => {
    const now = tabs.querySelector("[aria-current]");
    if (now && now.offsetLeft + now.offsetWidth > tabs.clientWidth) tabs.scrollLeft = now.offsetLeft - 16;
  });
  const toasts = [...within.querySelectorAll(".toast")];
  if (within.matches?.(".toast")) toasts.push(within);
  toasts.forEach((toast) => {
    toast.addEventListener("hidden.bs.toast", () => toast.remove(), { once: true });
    tabler.Toast.getOrCreateInstance(toast, { delay: Number(toast.dataset.stays) || 6000 }).show();
  });
  if (within.nodeType === Node.DOCUMENT_NODE) within.querySelector("[data-focus]")?.focus();
  drawCharts(within);
}
document.addEventListener("DOMContentLoaded", () => wake(document));
document.addEventListener("htmx:load", (event) => { if (event.target !== document.body) wake(event.target); });
