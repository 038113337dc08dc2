// A finger or mouse draws on the canvas of a form; the picture goes into its field `signature`.

export function startSignature(form) {
  const canvas = form.querySelector("[data-signature]");
  if (!canvas) return;
  canvas.style.touchAction = "none"; // a finger draws and does not scroll
  const pen = canvas.getContext("2d");
  Object.assign(pen, { lineWidth: 3, lineCap: "round", lineJoin: "round" });
  const at = ({ offsetX, offsetY }) =>
    [offsetX * canvas.width / canvas.clientWidth, offsetY * canvas.height / canvas.clientHeight];
  const clear = () => {
    pen.clearRect(0, 0, canvas.width, canvas.height);
    form.elements.signature.value = "";
  };
  canvas.addEventListener("pointerdown", (event) => {
    canvas.setPointerCapture(event.pointerId);
    pen.beginPath();
    pen.moveTo(...at(event));
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!event.buttons) return;
    pen.lineTo(...at(event));
    pen.stroke();
  });
  canvas.addEventListener("pointerup", () => { form.elements.signature.value = canvas.toDataURL("image/png"); });
  form.querySelector("[data-signature-clear]").addEventListener("click", clear);
  form.addEventListener("scan:done", clear);
}
