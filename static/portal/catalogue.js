/* Items of the catalogue in a line: F4 in a line, or [data-pick-item] in it, opens the one combobox of
   the page ([data-item-picker], static/portal/combo.js) over its description. What is chosen there is
   written into the line's fields; its quantity and discount stay. Esc goes back and changes nothing. */

import { announce } from "./page.js";

let line = null;
const picker = () => document.querySelector("[data-item-picker]");
const fieldOf = (row, word) => row.querySelector(`[name$="-${word}"]`);

function openPicker(row) {
  const box = picker();
  if (!box) return;
  line = row;
  const words = fieldOf(row, "description");
  const place = words.getBoundingClientRect();
  const width = Math.min(Math.max(place.width, 300), document.documentElement.clientWidth - 16);
  box.hidden = false;
  const around = (box.offsetParent ?? document.body).getBoundingClientRect();
  box.style.top = `${place.top - around.top}px`;
  box.style.left = `${Math.max(8 - around.left, Math.min(place.left, document.documentElement.clientWidth - width - 8) - around.left)}px`;
  box.style.width = `${width}px`;
  const field = box.querySelector("input");
  // One line of words may be what somebody looks for; a whole description is not.
  field.value = fieldOf(row, "item").value || words.value.includes("\n") ? "" : words.value.trim().slice(0, 60);
  field.focus();
  window.htmx?.trigger(field, "look");
}
function closePicker(back = true) {
  const box = picker();
  if (box) box.hidden = true;
  const row = line;
  line = null;
  if (back && row?.isConnected) fieldOf(row, "description").focus();
}
function choose(select, value, words) {
  if (![...select.options].some((each) => each.value === value)) select.add(new Option(words, value));
  select.value = value;
}
// What was said of the item that a row got last.
const saidOf = new WeakMap();
function fill(row, { dataset }) {
  fieldOf(row, "item").value = dataset.value;
  const words = fieldOf(row, "description");
  words.value = dataset.words;
  choose(fieldOf(row, "unit"), dataset.unit, dataset.unitWords);
  fieldOf(row, "unit_price").value = dataset.price;
  // Before the VAT: a change of the nature moves the usual VAT along.
  fieldOf(row, "nature").value = dataset.nature;
  choose(fieldOf(row, "vat"), dataset.vat, dataset.vatWords);
  saidOf.get(row)?.remove();
  if (dataset.said) {
    const said = document.createElement("p");
    saidOf.set(row, said);
    said.className = "form-hint mb-1";
    said.textContent = dataset.said;
    words.after(said);
    announce(dataset.said);
  }
  words.dispatchEvent(new Event("input", { bubbles: true }));
}

export function pickItemKey(event) {
  const box = picker();
  if (event.key === "Escape" && box && !box.hidden && box.contains(event.target)) {
    event.preventDefault();
    closePicker();
    return true;
  }
  if (event.key !== "F4" || event.ctrlKey || event.altKey || event.metaKey || event.shiftKey) return false;
  const row = event.target.closest?.("table.lines-grid tbody tr");
  if (!row || !box) return false;
  event.preventDefault();
  openPicker(row);
  return true;
}
document.addEventListener("picked", ({ detail }) => {
  if (!line?.isConnected) return closePicker(false);
  const row = line;
  fill(row, detail.option);
  closePicker(false);
  fieldOf(row, detail.option.dataset.price ? "quantity" : "unit_price").select();
});
document.addEventListener("click", (event) => {
  const button = event.target.closest?.("[data-pick-item]");
  if (button) return openPicker(button.closest("tr"));
});
document.addEventListener("focusout", ({ target, relatedTarget }) => {
  const box = picker();
  if (box && !box.hidden && box.contains(target) && !box.contains(relatedTarget)) closePicker(false);
});
