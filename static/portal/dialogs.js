/* What the server sends: a dialog into #dialog, a drawer into #drawer, toasts appended to #toasts. */

const overlayKind = { dialog: "modal", drawer: "offcanvas" };
const overlayClass = (kind) => (kind === "modal" ? tabler.Modal : tabler.Offcanvas);
document.addEventListener("htmx:afterSwap", ({ target, detail }) => {
  const kind = overlayKind[target.id];
  if (!kind || !target.firstElementChild) return;
  const first = () => (target.querySelector("[data-focus], [autofocus], .is-invalid") || target.querySelector(".modal-title, .offcanvas-title"))?.focus();
  if (target.classList.contains("show")) return first();
  // The button that was pressed, for the form around it may be gone when the dialog closes.
  const opener = [detail.requestConfig.triggeringEvent?.submitter, detail.requestConfig.elt].find((one) => one?.isConnected) || detail.requestConfig.elt;
  target.addEventListener(`shown.bs.${kind}`, first, { once: true });
  target.addEventListener(`hidden.bs.${kind}`, () => {
    target.replaceChildren();
    (opener.isConnected ? opener : document.getElementById("main")).focus();
  }, { once: true });
  overlayClass(kind).getOrCreateInstance(target).show();
});
// The server says that the work of the dialog is done (toasts.close_overlays).
document.addEventListener("close-overlays", () => {
  for (const [id, kind] of Object.entries(overlayKind)) {
    overlayClass(kind).getInstance(document.getElementById(id))?.hide();
  }
});
