/* Keys. Off in a field; the reader can switch them off altogether (data-shortcuts="off").
   Where "g d" leads is on <html>: data-go-d="/". */

import { pickItemKey } from "./catalogue.js";
import { comboKey } from "./combo.js";
import { lineEditorKey } from "./editor.js";
import { closePanels, openFilter } from "./filters.js";
import { moveCursor } from "./lists.js";
import { root } from "./page.js";
import { goesOnKey } from "./payments.js";

/* Ctrl + Enter sends the form one is in; a page may name the button that it presses, also from
   outside every field, and another one with Shift: aria-keyshortcuts="Control+Shift+Enter". */
function sendForm(event) {
  const keys = event.shiftKey ? "Control+Shift+Enter" : "Control+Enter";
  const button = document.querySelector(`[aria-keyshortcuts="${keys}"]`);
  const form = event.target.form || (document.querySelector(".modal.show, .offcanvas.show") ? null : button?.form);
  form?.requestSubmit(button?.form === form && !button.disabled ? button : null);
}

let waitingForGo = 0;
document.addEventListener("keydown", (event) => {
  if ((event.ctrlKey || event.metaKey) && event.key === "Enter") return sendForm(event);
  if (pickItemKey(event) || comboKey(event) || goesOnKey(event) || lineEditorKey(event)) return;
  const field = event.target.closest?.("input:not([type=checkbox]), textarea, select, [contenteditable]");
  if (event.key === "Escape" && closePanels(event.target.closest?.("details"))) return;
  if (field) { if (event.key === "Escape") field.blur(); return; }
  if (root.dataset.shortcuts === "off" || event.ctrlKey || event.metaKey || event.altKey) return;
  if (Date.now() - waitingForGo < 900 && /^[a-z]$/.test(event.key)) {
    // A letter that leads nowhere does nothing: after "g" nobody asks for what it does alone.
    waitingForGo = 0;
    const place = root.dataset[`go${event.key.toUpperCase()}`];
    return place && location.assign(place);
  }
  if (document.querySelector(".modal.show, .offcanvas.show")) return;
  const act = {
    "/": () => document.getElementById("global-search")?.select(),
    "?": () => tabler.Modal.getOrCreateInstance("#keys").show(),
    g: () => { waitingForGo = Date.now(); },
    j: () => moveCursor(1),
    k: () => moveCursor(-1),
    x: () => document.querySelector(".is-cursor .row-check")?.click(),
    f: openFilter,
    n: () => document.querySelector('[aria-keyshortcuts="n"]')?.click(),
    c: () => document.querySelector("[data-primary]")?.click(),
    d: () => document.querySelector("[data-copies]")?.click(),
  }[event.key];
  if (act) { event.preventDefault(); act(); }
});
