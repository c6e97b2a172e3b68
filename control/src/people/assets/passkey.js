// Talks to authenticators. Buttons and forms with `data-passkey` begin a ceremony at `data-begin` and bring its answer
// to `data-finish`; everything else on these pages works without this file.
"use strict";

async function post(address, body) {
  const answer = await fetch(address, {
    method: "POST",
    credentials: "same-origin",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  const said = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Error(said.message ?? "The server did not take it. Load the page again.");
  return said;
}

function bytes(text) {
  return Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (c) => c.charCodeAt(0));
}

function text(buffer) {
  return btoa(String.fromCharCode(...new Uint8Array(buffer))).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

// The browser's own conversions are not everywhere yet, so they are written out.
function forCreation(options) {
  const known = (options.excludeCredentials ?? []).map((one) => ({ ...one, id: bytes(one.id) }));
  return { ...options, challenge: bytes(options.challenge), user: { ...options.user, id: bytes(options.user.id) }, excludeCredentials: known };
}

function forRequest(options) {
  const known = (options.allowCredentials ?? []).map((one) => ({ ...one, id: bytes(one.id) }));
  return { ...options, challenge: bytes(options.challenge), allowCredentials: known };
}

function created(credential) {
  const response = credential.response;
  return {
    id: text(credential.rawId),
    clientDataJSON: text(response.clientDataJSON),
    attestationObject: text(response.attestationObject),
    transports: response.getTransports?.() ?? [],
  };
}

function asserted(credential) {
  const response = credential.response;
  return {
    id: text(credential.rawId),
    clientDataJSON: text(response.clientDataJSON),
    authenticatorData: text(response.authenticatorData),
    signature: text(response.signature),
    userHandle: response.userHandle ? text(response.userHandle) : null,
  };
}

// What a browser calls by a name, in words for a person.
function inWords(error) {
  switch (error.name) {
    case "NotAllowedError": return "Nothing was chosen, or it took too long. Try again.";
    case "InvalidStateError": return "This device already has a passkey for your account.";
    case "SecurityError": return "Passkeys do not work at this address. Open the page by the gateway's own name.";
    case "NotSupportedError": return "This device has no passkeys.";
    default: return error.message;
  }
}

async function run(element) {
  const data = element.dataset;
  const fields = element.tagName === "FORM" ? Object.fromEntries(new FormData(element)) : {};
  const begun = await post(data.begin, { csrf: data.csrf, ...fields });
  const answer =
    data.passkey === "create"
      ? created(await navigator.credentials.create({ publicKey: forCreation(begun.publicKey) }))
      : asserted(await navigator.credentials.get({ publicKey: forRequest(begun.publicKey) }));
  const done = await post(data.finish, { csrf: data.csrf, ceremony: begun.ceremony, return_to: data.returnTo, ...fields, credential: answer });
  location.assign(done.location);
}

function ready(element) {
  element.hidden = false;
  const problem = document.getElementById("passkey-problem");
  const button = element.tagName === "FORM" ? element.querySelector("button") : element;
  element.addEventListener(element.tagName === "FORM" ? "submit" : "click", async (event) => {
    event.preventDefault();
    problem.hidden = true;
    button.disabled = true;
    try {
      await run(element);
    } catch (error) {
      problem.textContent = inWords(error);
      problem.hidden = false;
      button.disabled = false;
    }
  });
}

if (window.PublicKeyCredential && navigator.credentials) {
  document.querySelectorAll("[data-passkey]").forEach(ready);
  document.querySelectorAll("[data-no-passkey]").forEach((element) => (element.hidden = true));
}
