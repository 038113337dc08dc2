// One dialog asks before what cannot be taken back: `data-confirm` on a form or its button, `hx-confirm` on htmx elements.
const dialog = document.getElementById("confirm");

/** Resolves to true when the person agrees. Escape and Cancel both mean no. */
export function ask(question, label) {
  dialog.querySelector("[data-question]").textContent = question;
  const yes = dialog.querySelector("[data-yes]");
  yes.textContent = label || yes.dataset.default;
  dialog.returnValue = "no";
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"), { once: true });
  });
}

export function startConfirming() {
  document.addEventListener(
    "submit",
    async (event) => {
      const source = event.submitter?.dataset.confirm ? event.submitter : event.target;
      if (!source.dataset.confirm || event.target.dataset.confirmed) return;
      event.preventDefault();
      event.stopPropagation();
      if (!(await ask(source.dataset.confirm, source.dataset.confirmLabel))) return;
      event.target.dataset.confirmed = "yes";
      event.target.requestSubmit(event.submitter);
      delete event.target.dataset.confirmed;
    },
    true,
  );
  document.addEventListener("htmx:confirm", async (event) => {
    const { ctx, issueRequest, dropRequest } = event.detail;
    event.preventDefault();
    const agreed = await ask(ctx.confirm, ctx.sourceElement.dataset.confirmLabel);
    (agreed ? issueRequest : dropRequest)();
  });
}
