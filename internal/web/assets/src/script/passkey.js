// Forms with data-passkey ask an authenticator (WebAuthn) before they are posted: "create" makes a
// passkey, "get" uses one. The options are JSON as the server made them; the answer goes, as JSON, into
// the hidden field "answer".
export function passkeyForms(root) {
  root.querySelectorAll('form[data-passkey]').forEach((form) => {
    form.addEventListener('submit', (event) => {
      event.preventDefault();
      act(form);
    });
  });
}

async function act(form) {
  if (form.dataset.busy) return;
  if (!window.PublicKeyCredential) {
    say(form, 'absent');
    return;
  }
  form.dataset.busy = 'yes';
  say(form, 'waiting');
  try {
    const options = read(JSON.parse(form.dataset.passkeyOptions));
    const credential = await navigator.credentials[form.dataset.passkey]({ publicKey: options });
    form.elements.answer.value = JSON.stringify(write(credential));
    say(form, 'sending');
    form.submit();
  } catch (err) {
    say(form, err.name === 'NotAllowedError' ? 'cancelled' : 'failed');
    delete form.dataset.busy;
  }
}

// read makes buffers of the texts in base64url that the options carry.
function read(options) {
  const o = { ...options, challenge: bytes(options.challenge) };
  if (o.user) o.user = { ...o.user, id: bytes(o.user.id) };
  for (const list of ['excludeCredentials', 'allowCredentials']) {
    if (o[list]) o[list] = o[list].map((c) => ({ ...c, id: bytes(c.id) }));
  }
  return o;
}

// write is the credential as JSON, with every buffer in base64url.
function write(c) {
  const response = {};
  for (const name of ['clientDataJSON', 'attestationObject', 'authenticatorData', 'signature', 'userHandle']) {
    if (c.response[name]) response[name] = text(c.response[name]);
  }
  return {
    id: c.id, rawId: text(c.rawId), type: c.type, response, clientExtensionResults: c.getClientExtensionResults(),
  };
}

function bytes(base64url) {
  const plain = atob(base64url.replace(/-/g, '+').replace(/_/g, '/'));
  return Uint8Array.from(plain, (c) => c.charCodeAt(0));
}

function text(buffer) {
  const plain = String.fromCharCode(...new Uint8Array(buffer));
  return btoa(plain).replace(/\+/g, '-').replace(/\//g, '_').replace(/=+$/, '');
}

function say(form, kind) {
  const line = form.querySelector('.senim-live');
  line.textContent = form.dataset[`text${kind[0].toUpperCase()}${kind.slice(1)}`];
  line.dataset.state = kind;
}
