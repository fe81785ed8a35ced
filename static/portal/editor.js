/* Line editor: table.lines-grid, one row per line, fields named lines-N-word.
   Enter goes to the same field of the next line and adds one at the end ([data-add-line] in the form);
   Shift + Enter is a line break in a description; Alt + ↑ ↓ moves the line, Alt + Delete removes it.
   [data-remove-line] is its button, .grip its handle. Lines are numbered again in their order. */

import { announce, say } from "./page.js";

const rowsOf = (table) => [...table.tBodies[0].rows].filter((row) => !row.hidden);

export function lineEditorKey(event) {
  const row = event.target.closest?.("table.lines-grid tbody tr");
  if (!row) return false;
  const table = row.closest("table");
  const onGrip = event.target.closest(".grip");
  const act =
    (event.altKey || onGrip) && event.key === "ArrowUp" ? () => moveLine(row, -1)
    : (event.altKey || onGrip) && event.key === "ArrowDown" ? () => moveLine(row, 1)
    : event.altKey && event.key === "Delete" ? () => removeLine(row)
    : event.key === "Enter" && !event.shiftKey && !event.altKey && event.target.matches("input, textarea") ? () => nextLine(table, row, event.target)
    : null;
  if (!act) return false;
  event.preventDefault();
  act();
  return true;
}

// VAT that was only what the law has for services follows to what it has for goods, and back.
document.addEventListener("change", ({ target }) => {
  if (!target.matches?.("[data-nature]")) return;
  const vat = target.closest("tr").querySelector("[name$='-vat']");
  const table = target.closest("table");
  const [was, wanted] = target.value === "goods" ? [table.dataset.vatServices, table.dataset.vatGoods] : [table.dataset.vatGoods, table.dataset.vatServices];
  if (vat.value === was && [...vat.options].some((each) => each.value === wanted)) vat.value = wanted;
});

function nextLine(table, row, field) {
  const rows = rowsOf(table);
  const next = rows[rows.indexOf(row) + 1];
  const word = field.name.replace(/^lines-\d+-/, "");
  if (next) return next.querySelector(`[name$="-${word}"]`)?.focus();
  addLine(table);
}

function addLine(table) {
  const form = table.closest("form") || document;
  const button = form.querySelector("[data-add-line]");
  const template = form.querySelector("template[data-line]");
  if (!template) return button?.click(); // the server sends the row; it is focused when it arrives
  const row = template.content.firstElementChild.cloneNode(true);
  table.tBodies[0].append(row);
  renumber(table);
  window.htmx?.process(row);
  focusLine(row);
}

export function focusLine(row) { row?.querySelector("textarea, input:not([type=hidden])")?.focus(); }

function moveLine(row, step) {
  const table = row.closest("table");
  const rows = rowsOf(table);
  const other = rows[rows.indexOf(row) + step];
  if (!other) return;
  const focused = document.activeElement;
  other[step < 0 ? "before" : "after"](row);
  renumber(table);
  focused?.focus();
  announce(say("Moved").replace("%d", rowsOf(table).indexOf(row) + 1));
}

function removeLine(row) {
  const table = row.closest("table");
  const rows = rowsOf(table);
  const at = rows.indexOf(row);
  const gone = row.querySelector('[name$="-DELETE"]');
  if (gone) {
    gone.type === "checkbox" ? (gone.checked = true) : (gone.value = "on");
    row.hidden = true;
  } else row.remove();
  renumber(table);
  const left = rowsOf(table);
  if (left.length) focusLine(left[Math.min(at, left.length - 1)]);
  else addLine(table);
  announce(say("Removed").replace("%d", at + 1));
}

function renumber(table) {
  [...table.tBodies[0].rows].forEach((row, n) => {
    for (const part of row.querySelectorAll("[name], [id], [for], [aria-describedby]")) {
      for (const name of ["name", "id", "for", "aria-describedby"]) {
        const value = part.getAttribute(name);
        if (value) part.setAttribute(name, value.replace(/lines-(\d+|__prefix__)-/g, `lines-${n}-`));
      }
      if (/^lines-\d+-(ORDER|position)$/.test(part.name || "")) part.value = n + 1;
    }
    for (const part of row.querySelectorAll("[aria-label]")) {
      part.setAttribute("aria-label", part.getAttribute("aria-label").replace(/(\d+|__number__)(?!.*\d)/, n + 1));
    }
  });
  const total = (table.closest("form") || document).querySelector('[name="lines-TOTAL_FORMS"]');
  if (total) total.value = table.tBodies[0].rows.length;
  table.tBodies[0].dispatchEvent(new Event("input", { bubbles: true }));
}

document.addEventListener("click", (event) => {
  const remove = event.target.closest("[data-remove-line]");
  if (remove) { event.preventDefault(); return removeLine(remove.closest("tr")); }
  const add = event.target.closest("[data-add-line]");
  const form = add?.closest("form") || document;
  if (add && form.querySelector("template[data-line]")) {
    event.preventDefault();
    addLine(form.querySelector("table.lines-grid"));
  }
});

let dragged = null;
document.addEventListener("pointerdown", (event) => {
  const grip = event.target.closest(".lines-grid .grip");
  if (!grip || event.button !== 0) return;
  dragged = grip.closest("tr");
  grip.setPointerCapture?.(event.pointerId);
});
document.addEventListener("pointermove", (event) => {
  if (!dragged) return;
  const over = document.elementFromPoint(event.clientX, event.clientY)?.closest("tr");
  if (!over || over === dragged || over.parentNode !== dragged.parentNode) return;
  const box = over.getBoundingClientRect();
  over[event.clientY < box.top + box.height / 2 ? "before" : "after"](dragged);
});
document.addEventListener("pointerup", () => {
  if (dragged) renumber(dragged.closest("table"));
  dragged = null;
});
