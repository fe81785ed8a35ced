/* A field that finds: [data-combo] around an input[role=combobox] and its list, which the server
   fills (hx-trigger "look" asks for it without typing). ↑ ↓ choose, Enter or Tab takes, Esc closes.
   Taking writes the name into the field, the id into the hidden field beside it, and says "chosen". */

import { announce } from "./page.js";

const fieldOf = (target) => target.closest?.("[data-combo] [role=combobox]");
const listOf = (field) => document.getElementById(field.getAttribute("aria-controls"));
const optionsOf = (field) => [...listOf(field).querySelectorAll("[role=option]:not([aria-disabled])")];
const isOpen = (field) => field.getAttribute("aria-expanded") === "true";

// The field whose list its reader has closed: an answer that comes after that does not open it again.
let closed = null;
function open(field, on) {
  closed = on ? null : field;
  listOf(field).hidden = !on;
  field.setAttribute("aria-expanded", String(on));
  if (!on) field.removeAttribute("aria-activedescendant");
}
function look(field) {
  closed = null;
  window.htmx?.trigger(field, "look");
}
function point(field, option) {
  optionsOf(field).forEach((each) => each.setAttribute("aria-selected", String(each === option)));
  if (!option) return field.removeAttribute("aria-activedescendant");
  field.setAttribute("aria-activedescendant", option.id);
  option.scrollIntoView({ block: "nearest" });
}
function take(field, option) {
  if (!field.form) {
    // A field of no form takes nothing itself: whoever opened it hears what was chosen.
    open(field, false);
    field.dispatchEvent(new CustomEvent("picked", { bubbles: true, detail: { option } }));
    return;
  }
  const hidden = field.form.elements.namedItem("client");
  const changed = hidden.value !== option.dataset.value;
  field.value = option.dataset.name;
  hidden.value = option.dataset.value;
  open(field, false);
  if (changed) field.dispatchEvent(new CustomEvent("chosen", { bubbles: true }));
}

export function comboKey(event) {
  const field = fieldOf(event.target);
  if (!field || event.ctrlKey || event.metaKey || event.altKey) return false;
  const options = isOpen(field) ? optionsOf(field) : [];
  const now = options.findIndex((each) => each.getAttribute("aria-selected") === "true");
  if (event.key === "ArrowDown" || event.key === "ArrowUp") {
    event.preventDefault();
    if (!isOpen(field)) look(field);
    else if (options.length) point(field, options[(now + (event.key === "ArrowDown" ? 1 : -1) + options.length) % options.length]);
    return true;
  }
  if (!isOpen(field)) return false;
  if (event.key === "Escape") { open(field, false); return true; }
  if ((event.key === "Enter" || event.key === "Tab") && now >= 0) {
    take(field, options[now]);
    if (!field.form) { event.preventDefault(); return true; }
    // Tab goes on by itself, Enter as in every field of the form.
    return false;
  }
  return false;
}

document.addEventListener("htmx:afterSwap", ({ target }) => {
  const field = document.querySelector(`[role=combobox][aria-controls="${CSS.escape(target.id || "-")}"]`);
  if (!field || field === closed || document.activeElement !== field) return;
  open(field, true);
  const options = optionsOf(field);
  // What was typed means the first one; a list that nobody asked for means none yet.
  point(field, field.value.trim() ? options[0] : undefined);
  announce(options.length ? String(options.length) : target.textContent.trim());
});
document.addEventListener("input", ({ target }) => { if (target === closed) closed = null; });
document.addEventListener("focusin", ({ target }) => {
  const field = fieldOf(target);
  if (!field) return;
  field.select();
  // What is wrong with an empty field is written where the list would lie.
  if (!field.value && field.getAttribute("aria-invalid") !== "true") look(field);
});
document.addEventListener("focusout", ({ target }) => {
  const field = fieldOf(target);
  if (field) open(field, false);
});
// Before the field loses the focus, which would close the list under the mouse.
document.addEventListener("mousedown", (event) => {
  const option = event.target.closest(".combo [role=option]");
  if (!option) return;
  event.preventDefault();
  const field = option.closest("[data-combo]").querySelector("[role=combobox]");
  if (option.dataset.value) take(field, option);
});
