// Forms with data-agent ask the signing agent before they are posted.
//
// The request in data-agent is sent whole; the answer goes, as JSON, into the hidden field named by
// data-agent-field; then the form is posted. One click is one act. What went wrong is said in the
// form's own words (data-text-…), and what was typed stays typed.
import ncalayer from 'ncalayer-js-client';

const { NCALayerClient } = ncalayer;

// connectWithin is how long an address may take to greet us before the next one is tried.
const connectWithin = 4000;

// noAddress is where the client looks for KAZTOKEN's HTTP service, which it does even when told to do
// without: our pages have no use for it and their policy forbids it, so each sign-in would leave two
// errors in the console. What is no address is not asked at all.
const noAddress = 'https://';

class Trouble extends Error {
  constructor(kind, detail) {
    super(detail || kind);
    this.kind = kind;
  }
}

export function agentForms(root) {
  root.querySelectorAll('form[data-agent]').forEach((form) => {
    form.addEventListener('submit', (event) => {
      // A button with an address of its own does without the agent.
      if (event.submitter && event.submitter.hasAttribute('formaction')) return;
      event.preventDefault();
      act(form);
    });
  });
}

async function act(form) {
  if (form.dataset.busy) return;
  form.dataset.busy = 'yes';
  const buttons = form.querySelectorAll('button[type=submit]');
  buttons.forEach((b) => { b.disabled = true; });
  let client;
  try {
    say(form, 'connecting');
    client = await connect(form.dataset.agentUrls.split(' '));
    say(form, 'waiting');
    const result = await ask(client, JSON.parse(form.dataset.agent));
    form.elements[form.dataset.agentField].value = JSON.stringify(result);
    say(form, 'sending');
    form.submit();
  } catch (err) {
    say(form, err instanceof Trouble ? err.kind : 'failed', err.message);
    buttons.forEach((b) => { b.disabled = false; });
    delete form.dataset.busy;
  } finally {
    if (client && client.wsConnection) client.wsConnection.close();
  }
}

// connect tries each address and gives a client that was greeted.
async function connect(urls) {
  for (const url of urls) {
    const client = new NCALayerClient(url, false);
    client.kmdHttpApiUrl = noAddress;
    try {
      await within(client.connect(), connectWithin);
      return client;
    } catch (err) {
      if (client.wsConnection) client.wsConnection.close();
    }
  }
  throw new Trouble(await denied() ? 'denied' : 'absent');
}

// denied tells whether the browser itself keeps this page from the agent.
async function denied() {
  for (const name of ['loopback-network', 'local-network-access']) {
    try {
      const status = await navigator.permissions.query({ name });
      if (status.state === 'denied') return true;
    } catch (err) {
      // this browser does not know the permission
    }
  }
  return false;
}

function within(promise, ms) {
  return Promise.race([
    promise,
    new Promise((_, reject) => { setTimeout(() => reject(new Trouble('absent')), ms); }),
  ]);
}

// ask sends one request and waits for its answer, which may take as long as the person does.
function ask(client, request) {
  return new Promise((resolve, reject) => {
    const socket = client.wsConnection;
    socket.onerror = () => reject(new Trouble('absent'));
    socket.onclose = () => reject(new Trouble('absent'));
    socket.onmessage = (message) => {
      if (message.data === '--heartbeat--') return;
      socket.onclose = null;
      try {
        resolve(read(JSON.parse(message.data)));
      } catch (err) {
        reject(err);
      }
    };
    client.sendRequest(request);
  });
}

// read tells a result from a refusal in the envelopes of both families of modules.
function read(answer) {
  if (answer.errorCode === 'MODULE_NOT_FOUND') throw new Trouble('module');
  if (answer.status === true) {
    if (!answer.body || answer.body.result === undefined) throw new Trouble('cancelled');
    return answer.body.result;
  }
  if (answer.status === false) throw new Trouble('failed', `${answer.code}: ${answer.details || answer.message}`);
  if (answer.code === '200') return answer.responseObject;
  if (answer.message === 'action.canceled') throw new Trouble('cancelled');
  throw new Trouble('failed', answer.message || answer.code || answer.errorCode);
}

// say writes the state of the form for everyone, also for screen readers.
function say(form, kind, detail) {
  const line = form.querySelector('.senim-live');
  const words = form.dataset[`text${kind[0].toUpperCase()}${kind.slice(1)}`] || kind;
  line.textContent = kind === 'failed' && detail ? `${words} ${detail}` : words;
  line.dataset.state = kind;
}
