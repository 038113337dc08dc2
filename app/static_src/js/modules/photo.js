// A phone's photo is many times as large as a proof needs to be: it is made smaller before it is sent.
const SIDE_MAX = 1280;
const QUALITY = 0.7;

async function smaller(file) {
  const picture = await createImageBitmap(file);
  const scale = Math.min(1, SIDE_MAX / Math.max(picture.width, picture.height));
  const canvas = document.createElement("canvas");
  canvas.width = Math.round(picture.width * scale);
  canvas.height = Math.round(picture.height * scale);
  canvas.getContext("2d").drawImage(picture, 0, 0, canvas.width, canvas.height);
  const blob = await new Promise((resolve) => { canvas.toBlob(resolve, "image/jpeg", QUALITY); });
  return new File([blob], "photo.jpg", { type: "image/jpeg" });
}

/** Fields with `data-photo` send a picture of at most `SIDE_MAX` pixels; what is no picture goes as it is. */
export function startPhotos(root = document) {
  for (const input of root.querySelectorAll("input[type=file][data-photo]")) {
    input.addEventListener("change", async () => {
      if (!input.files.length) return;
      try {
        const files = new DataTransfer();
        files.items.add(await smaller(input.files[0]));
        input.files = files.files;
      } catch (error) {
        if (error.name !== "InvalidStateError") throw error; // the server says that it is no picture
      }
    });
  }
}
