/* What the server sends: a dialog into #dialog, toasts appended to #toasts. */

document.addEventListener("htmx:afterSwap", ({ target, detail }) => {
  if (target.id !== "dialog" || !target.firstElementChild) return;
  const first = () => (target.querySelector("[data-focus], [autofocus], .is-invalid") || target.querySelector(".modal-title"))?.focus();
  if (target.classList.contains("show")) return first();
  // The button that was pressed, for the form around it may be gone when the dialog closes.
  const opener = [detail.requestConfig.triggeringEvent?.submitter, detail.requestConfig.elt].find((one) => one?.isConnected) || detail.requestConfig.elt;
  target.addEventListener("shown.bs.modal", first, { once: true });
  target.addEventListener("hidden.bs.modal", () => {
    target.replaceChildren();
    (opener.isConnected ? opener : document.getElementById("main")).focus();
  }, { once: true });
  tabler.Modal.getOrCreateInstance(target).show();
});
// The server says that the work of the dialog is done (toasts.close_overlays).
document.addEventListener("close-overlays", () => {
  tabler.Modal.getInstance(document.getElementById("dialog"))?.hide();
});
