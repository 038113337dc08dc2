// What the forms of a stop hold, as an act: with an id and the time of this phone, so that it can be told later.

/** A picture or any other file as base64. */
async function base64(file) {
  const bytes = new Uint8Array(await file.arrayBuffer());
  let text = "";
  for (let at = 0; at < bytes.length; at += 0x8000) {
    text += String.fromCharCode(...bytes.subarray(at, at + 0x8000));
  }
  return btoa(text);
}

/** An amount as people write it, in minor units; no fraction is ever computed. Undefined where it is none. */
export function minor(text, digits) {
  const match = /^(\d{1,12})(?:[.,](\d*))?$/.exec(text.trim());
  if (!match || (match[2] ?? "").length > digits) return undefined;
  return Number(match[1] + (match[2] ?? "").padEnd(digits, "0"));
}

async function proofOf(data) {
  const code = data.get("handed_code")?.trim();
  if (code) return { kind: "code", content_base64: btoa(code) };
  const [, drawn] = (data.get("signature") ?? "").split("base64,");
  if (drawn) return { kind: "signature", content_base64: drawn };
  const photo = data.get("photo");
  return photo?.size ? { kind: "photo", content_base64: await base64(photo) } : null;
}

async function handOver(form, data) {
  const given = {
    received_by: data.get("received_by").trim(),
    relation: data.get("relation") || null,
    proof: await proofOf(data),
  };
  if (data.has("paid")) {
    const amount = minor(data.get("paid"), Number(form.dataset.currencyDigits));
    if (amount === undefined) return undefined;
    given.paid = { amount_minor: amount, means: data.get("means") };
  }
  return given;
}

/** The act that a form tells; undefined where something in it cannot be. */
export async function actOf(form, offsetMinutes) {
  const data = new FormData(form);
  const act = {
    client_id: crypto.randomUUID(),
    stop_id: Number(form.closest("[data-run-stop]").dataset.runStop),
    act: form.dataset.act,
    occurred_at: new Date().toISOString(),
    offset_minutes: offsetMinutes,
  };
  if (act.act === "failed") {
    act.reason = data.get("reason");
    const photo = data.get("photo");
    if (photo?.size) act.photo_base64 = await base64(photo);
  }
  if (data.has("received_by")) {
    act.hand_over = await handOver(form, data);
    if (!act.hand_over) return undefined;
  }
  return act;
}
