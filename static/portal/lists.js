/* Lists: selection with its sum, shift-click ranges, a cursor for the keyboard. */

import { root } from "./page.js";

function listOf(element) { return element.closest("[data-list]"); }
export function refreshSelection(list) {
  const all = [...list.querySelectorAll(".row-check")];
  const chosen = all.filter((box) => box.checked);
  list.classList.toggle("has-selection", chosen.length > 0);
  const head = list.querySelector(".check-all");
  if (head) {
    head.checked = all.length > 0 && chosen.length === all.length;
    head.indeterminate = chosen.length > 0 && chosen.length < all.length;
  }
  const sums = {};
  for (const box of chosen) {
    if (box.dataset.currency) sums[box.dataset.currency] = (sums[box.dataset.currency] || 0) + Number(box.dataset.minor);
  }
  const locale = root.lang === "fr" ? "fr-FR" : "en-GB";
  const text = Object.entries(sums).map(([currency, minor]) => {
    const written = new Intl.NumberFormat(locale, { style: "currency", currency });
    return written.format(minor / 10 ** written.resolvedOptions().maximumFractionDigits).replace("-", "−");
  });
  const out = list.querySelector("[data-selection]");
  if (out) out.textContent = [out.dataset.selection.replace("%d", chosen.length), ...text].join(" · ");
}

let lastBox = null;
function clickedBox(box, event) {
  if (event.shiftKey && lastBox && listOf(lastBox) === listOf(box)) {
    const all = [...listOf(box).querySelectorAll(".row-check")];
    const [a, b] = [all.indexOf(lastBox), all.indexOf(box)].sort((x, y) => x - y);
    all.slice(a, b + 1).forEach((other) => { other.checked = box.checked; });
  }
  lastBox = box;
  refreshSelection(listOf(box));
}

document.addEventListener("click", (event) => {
  const box = event.target.closest(".row-check");
  if (box) return clickedBox(box, event);
  const head = event.target.closest(".check-all, [data-clear-selection]");
  if (head) {
    const list = listOf(head);
    list.querySelectorAll(".row-check").forEach((other) => { other.checked = Boolean(head.checked); });
    return refreshSelection(list);
  }
  // The whole row is a target for the mouse; the link in it is the one for everybody else.
  const row = event.target.closest("[data-list] tbody tr");
  if (row && !event.target.closest("a, button, input, label, select, summary") && !String(getSelection())) {
    const link = row.querySelector(".row-link");
    if (link && (event.ctrlKey || event.metaKey)) return void open(link.href, "_blank", "noopener");
    link?.click();
  }
});

export function moveCursor(step) {
  // A list has its rows; a page without one (desk, search) has its worklists.
  const linkOf = (row) => [...row.querySelectorAll(".row-link, .what a")].find((link) => link.offsetParent);
  const lists = document.querySelectorAll("[data-list] tbody tr");
  const rows = [...(lists.length ? lists : document.querySelectorAll(".work > li"))].filter(linkOf);
  if (!rows.length) return;
  const now = rows.findIndex((row) => row.classList.contains("is-cursor"));
  const next = rows[Math.min(rows.length - 1, Math.max(0, now + step))];
  rows[now]?.classList.remove("is-cursor");
  next.classList.add("is-cursor");
  linkOf(next).focus({ preventScroll: true });
  next.scrollIntoView({ block: "nearest" });
}

// The menu of files stands above the list, which alone is replaced: its links ask for what the address
// names now, with the filter and the order that were chosen since the page came.
function filesFollow() {
  document.querySelectorAll("a[data-list-query]").forEach((link) => { link.search = location.search; });
}
["htmx:pushedIntoHistory", "htmx:replacedInHistory"].forEach((event) => document.addEventListener(event, filesFollow));
