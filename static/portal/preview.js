/* The page beside the editor: drawn anew some moments after the last key, while it can be seen.
   [data-page-preview] hears “page-changed”; an answer “page-busy” asks to try again. */

const WAIT = 900;
const preview = { timer: 0 };
const place = () => document.querySelector("[data-page-preview]");

function drawSoon(wait = WAIT) {
  clearTimeout(preview.timer);
  const there = place();
  // Not shown on narrow screens: nothing is asked for then.
  if (!there || !there.offsetParent) return;
  preview.timer = setTimeout(() => window.htmx?.trigger(there, "page-changed"), wait);
}

document.addEventListener("input", ({ target }) => {
  if (target.closest?.("form[data-keeps]")) drawSoon();
});
document.addEventListener("page-busy", () => drawSoon(WAIT * 2));
document.addEventListener("htmx:afterSettle", ({ target }) => {
  if (target.id === "editor" || target.querySelector?.("#page-preview")) drawSoon(150);
});
addEventListener("load", () => drawSoon(150));
