// The agent's window: who asks, what is signed, which key, the password.
(() => {
  'use strict';
  const { finder, folder, $, el, seen, T, call, begin, leave, remark, card, tickBox, input, hinted } = shared;
  const many = 8; // rows that are seen at a glance
  const body = document.body;
  let view = null;
  let chosen = '';
  let over = false;
  let leaving = false; // the person cancelled

  function say(problem) {
    const box = $('error');
    box.hidden = !problem;
    box.textContent = problem ? seen(problem.text || T('lost')) : '';
    for (const f of document.querySelectorAll('[aria-describedby=error]')) { f.removeAttribute('aria-invalid'); f.removeAttribute('aria-describedby'); } // it was wrong before
    if (!problem) return;
    box.dataset.code = problem.code || '';
    if (problem.field === 'code') $('code-box').hidden = false;
    const field = problem.field && $(problem.field);
    if (field) {
      field.setAttribute('aria-invalid', 'true');
      field.setAttribute('aria-describedby', 'error');
      field.focus();
      if (field.select) field.select();
    }
  }

  function state(name) {
    body.dataset.state = name;
    $('live').textContent = name === 'busy' ? T('busy') : '';
    for (const b of $('actions').querySelectorAll('button')) b.disabled = name === 'busy' && !(b.id === 'cancel' && view) || name === 'loading'; // whatever is waited for, a person can cancel
    if (name === 'ready') label();
  }

  function end(text, failed) {
    over = true;
    for (const id of ['who', 'warnings', 'what', 'form', 'title', 'line']) $(id).hidden = true;
    const pw = $('password');
    if (pw) pw.value = '';
    const done = $('done');
    done.hidden = false;
    done.textContent = seen(text || '', true);
    state(failed ? 'failed' : 'done');
    done.focus();
    if (view && !['renew', 'compare'].includes(view.kind)) setTimeout(() => window.close(), failed ? 8000 : 1500); // what became of each key is to be read
  }

  function row(k, many) {
    const e = el('label', 'key');
    e.dataset.keyId = k.id;
    e.dataset.state = k.state;
    e.dataset.fits = String(k.fits);
    const tick = el('input');
    tick.type = many && k.state !== 'locked' ? 'checkbox' : 'radio';
    tick.name = tick.type === 'radio' ? 'key' : 'told';
    tick.value = k.id;
    tick.disabled = !k.fits;
    tick.checked = tick.type === 'radio' && k.id === chosen;
    tick.addEventListener('change', () => { if (tick.type === 'radio') { if (chosen !== k.id && !['password', 'backup'].includes(view.kind)) $('fields').replaceChildren(); chosen = k.id; } fields(); label(); });
    e.append(tick);
    if (k.card) card(e, k.card);
    else e.append(el('span', 'owner', k.about), el('span', 'small', k.fits && k.state !== 'pending' ? T('locked') : ''));
    e.copies = k.copies;
    e.append(el('span', k.card ? 'small detail' : 'small', [k.file, k.folder, k.date].filter(Boolean).join(' · ')));
    for (const r of [...(k.reasons || []), ...(k.remarks || [])]) {
      const line = remark(r);
      if (r.code === 'unchecked' || r.level === 'info') line.classList.add('detail'); // said of the key that is chosen
      e.append(line);
    }
    return e;
  }

  // manyRow is a key of sign-many: its owner, its own password, the documents it signs.
  function manyRow(k) {
    const e = el('div', 'key');
    e.dataset.keyId = k.id;
    e.dataset.state = k.state;
    e.dataset.fits = String(k.fits);
    if (k.on) e.dataset.on = k.on;
    if (k.card) card(e, k.card);
    else e.append(el('span', 'owner', k.about));
    e.copies = k.copies;
    const where = el('span', 'small', [k.file, k.folder, k.date].filter(Boolean).join(' · '));
    e.append(where);
    for (const r of [...(k.reasons || []), ...(k.remarks || [])]) e.append(remark(r));
    if (k.state === 'unlocked') e.append(el('p', 'remark info', T('opened')));
    else if (k.fits) {
      const [l, i, h] = hinted('password-' + k.id, T(k.pin ? 'pin' : 'password'));
      i.dataset.password = k.id;
      l.append(el('span', 'small', ' · ' + (k.card ? k.card.organization || k.card.owner : k.file)));
      const own = el('div', 'own');
      own.append(l, i, h);
      e.append(own);
    }
    if (k.card) {
      for (const d of (view.documents || []).filter((x) => x.serial === k.card.serial.replace(/^0+/, ''))) {
        const more = el('details');
        more.append(el('summary', '', T('document')));
        text(more, d);
        const list = el('dl');
        list.append(el('dt', '', T('size')), el('dd', '', d.size.toLocaleString(view.lang)), el('dt', '', T('digest')), el('dd', '', d.digest));
        more.append(list);
        e.append(more);
      }
    }
    return e;
  }

  // atRow shows a problem beside the key it belongs to.
  function atRow(id, problem) {
    const e = document.querySelector('.key[data-key-id="' + id + '"]');
    if (!e) return;
    for (const old of e.querySelectorAll('.wrong')) old.remove();
    const field = e.querySelector('input[type=password]');
    if (!problem) { if (field) { field.removeAttribute('aria-invalid'); field.removeAttribute('aria-describedby'); } return; }
    const p = el('p', 'remark red wrong', problem.text);
    p.id = 'wrong-' + id;
    p.dataset.code = problem.code || '';
    e.append(p);
    if (field) { field.setAttribute('aria-invalid', 'true'); field.setAttribute('aria-describedby', p.id); }
  }

  // progress says how far many have come.
  function progress(at, of) {
    $('live').textContent = T('progress') + ': ' + at + ' / ' + of;
    let bar = $('progress');
    if (!bar) { bar = el('progress'); bar.id = 'progress'; bar.setAttribute('aria-label', T('progress')); $('live').after(bar); }
    bar.max = of;
    bar.value = at;
    bar.hidden = at >= of;
  }

  // tries lists which passwords are tried on which keys: first each with its own, then, when the
  // person wishes, the ones typed on those without. Never on a token, which would lock, and never a PIN.
  function tries() {
    const typed = [...document.querySelectorAll('input[data-password]')].map((i) => [i.dataset.password, i.value]);
    const own = typed.filter(([, word]) => word);
    if (!$('same') || !$('same').checked) return own;
    const words = [...new Set(own.filter(([id]) => !tokenOf(id)).map(([, word]) => word))];
    return [...own, ...typed.filter(([id, word]) => !word && !tokenOf(id)).flatMap(([id]) => words.map((word) => [id, word]))];
  }

  // tokenOf names the token a key is on, '' for a file.
  const tokenOf = (id) => ((view.keys || []).find((k) => k.id === id) || {}).on || '';

  // openMany unlocks key after key. What is wrong with one is said beside it. A PIN that opened one key of a token
  // opens the others, too; one the token refused is not tried on it again: tokens lock.
  async function openMany(list) {
    const wrong = new Map();
    const opened = new Set();
    const refused = new Map();
    let at = 0;
    for (const [id, password] of list) {
      const on = tokenOf(id);
      if (on && refused.has(on)) wrong.set(id, refused.get(on));
      else if (!opened.has(id)) {
        try {
          await call('/unlock', { id, password, brief: true });
          opened.add(id);
          wrong.delete(id);
          const rest = (view.keys || []).filter((k) => on && k.on === on && k.fits && k.state !== 'unlocked' && !list.some(([other]) => other === k.id));
          list.push(...rest.map((k) => [k.id, password]));
        } catch (problem) {
          if (problem instanceof Error || problem.code === 'over' || problem.code === 'token_twice' || problem.code === 'no_key') throw problem;
          wrong.set(id, problem);
          if (on) refused.set(on, problem);
        }
      }
      at += 1;
      progress(at, list.length);
    }
    const kept = new Map([...document.querySelectorAll('input[data-password]')].map((i) => [i.dataset.password, i.value]));
    const ticked = [...document.querySelectorAll('.key input[type=checkbox]:checked')].map((i) => i.value);
    view = (await call('/look', {})).view;
    draw();
    for (const i of document.querySelectorAll('input[data-password]')) i.value = kept.get(i.dataset.password) || '';
    for (const i of document.querySelectorAll('.key input[type=checkbox]')) i.checked = ticked.includes(i.value) || opened.has(i.value);
    for (const [id, problem] of wrong) atRow(id, problem);
    return wrong;
  }

  // decideMany sends the decision until the last step is done.
  async function decideMany(d) {
    for (;;) {
      const answer = await call('/decide', d);
      if (answer.done) return answer;
      progress(answer.at, answer.of);
    }
  }

  const current = () => (view.keys || []).find((k) => k.id === chosen);
  const recalls = () => { const k = current(); return !!k && !!k.kept && (k.state === 'locked' || k.state === 'known') && (view.kind === 'sign' || view.kind === 'info'); };
  const needsPassword = () => { const k = current(); return !!k && !recalls() && (k.state === 'locked' || k.state === 'known') && (view.kind !== 'list' || k.state === 'locked'); };

  // chooser shows one folder: going to another asks the agent, picking marks a file.
  let picked = '';
  function chooser() {
    const c = view.chooser;
    const box = $('choice');
    const go = async (folder) => {
      state('busy');
      try { view.chooser = (await call('/chooser', { folder })).chooser; picked = ''; chooser(); state('ready'); $('folder-now').focus(); } catch (problem) {
        state('ready');
        say(problem);
      }
    };
    say(null);
    shared.folder(box, c, view.wants, go, (path) => { picked = path; });
  }

  function fields() {
    const box = $('fields');
    if (view.saveAs) {
      if (!$('save-as')) {
        const [l, i] = input('save-as', 'text', T('save-as'));
        i.value = view.saveAs;
        const where = el('div');
        where.append(l, i);
        box.before(where);
      }
    }
    if (view.kind === 'save') return;
    if (view.kind === 'generate' || view.kind === 'generate-many') {
      if (box.firstChild) return;
      if (view.again) { box.append(el('p', '', T('again'))); return; }
      if (view.storage) { tokens(box); return; }
      const [l, i] = input('folder', 'text', T('folder'));
      i.value = view.folder || '';
      const list = el('datalist');
      list.id = 'folders';
      for (const f of view.folders || []) { const o = el('option'); o.value = f; list.append(o); }
      i.setAttribute('list', 'folders');
      box.append(l, i, list);
      if (view.confirm) box.append(tickBox('confirm', view.confirm)[0]);
      if (view.kind === 'generate') { // or on another computer, then under a password
        const [tick, on] = tickBox('confirm', T('elsewhere'));
        const asked = el('div');
        asked.id = 'elsewhere';
        asked.hidden = !view.sealed;
        asked.append(el('p', 'small', T('elsewhere-why')), ...hinted('new-password', T('pending-new')), el('p', 'small', T('rule')), ...hinted('new-password-2', T('new-password-2')));
        on.addEventListener('change', () => { asked.hidden = !on.checked; });
        if (view.sealed) { on.checked = true; box.append(el('p', 'remark info', T('no-keychain')), asked); } else box.append(tick, asked);
      }
      return;
    }
    if (view.kind === 'install' || view.kind === 'install-many') {
      if (box.firstChild) return;
      if (view.token) box.append(...hinted('password', T('pin')), el('p', 'small', T('pin-why')));
      else {
        if (view.sealed) box.append(...hinted('pending-password', T('pending-password')));
        for (const c of view.certificates.filter((c) => c.sealed)) { // each has a password of its own, of its making
          const e = el('fieldset', 'certificate sealed');
          e.append(el('legend', '', c.card.organization || c.card.owner), el('span', 'small', c.file), ...hinted('pending-' + c.id, T('pending-password')), tickBox('skip-' + c.id, T('skip-key'))[0]);
          box.append(e);
        }
        box.append(...hinted('new-password', T('new-password')), el('p', 'small', T('rule')), ...hinted('new-password-2', T('new-password-2')));
      }
      if (view.confirm) {
        box.append(tickBox('confirm', view.confirm)[0]);
      }
      return;
    }
    if (view.kind === 'password' || view.kind === 'backup') {
      if (box.firstChild) return;
      box.append(...hinted('password', T('password')));
      if (view.kind === 'password') {
        box.append(...hinted('new-password', T('new-password')), el('p', 'small', T('rule')), ...hinted('new-password-2', T('new-password-2')), tickBox('confirm', view.confirm)[0],
          el('p', 'small', T('nobody-knows')));
        return;
      }
      const [l, i] = input('folder', 'text', T('copy-to'));
      box.append(l, i);
      return;
    }
    if (view.kind === 'renew') {
      if (box.firstChild) return;
      const code = el('div');
      code.id = 'code-box';
      code.hidden = true;
      const [l, i] = input('code', 'text', T('code'));
      i.inputMode = 'numeric';
      i.autocomplete = 'one-time-code';
      code.append(l, i);
      if (view.newPassword) box.append(tickBox('same', T('same'))[0]);
      box.append(tickBox('confirm', T('skip'))[0]);
      if (view.newPassword) box.append(...hinted('new-password', T('new-password')), el('p', 'small', T('rule')), ...hinted('new-password-2', T('new-password-2')));
      box.append(code);
      return;
    }
    if (view.kind === 'sign-many') {
      const skip = $('confirm') && $('confirm').checked;
      const same = $('same') && $('same').checked;
      const locked = (view.keys || []).filter((k) => k.fits && k.state !== 'unlocked').length;
      box.replaceChildren();
      if (locked > 1) { const [l, i] = tickBox('same', T('same')); i.checked = same; box.append(l); }
      if (locked || (view.missing || []).length) { const [l, i] = tickBox('confirm', T('skip')); i.checked = skip; box.append(l); }
      return;
    }
    if (recalls()) {
      const forget = el('button', 'link', T('forget'));
      forget.type = 'button';
      forget.id = 'forget';
      forget.addEventListener('click', async () => {
        try { view = (await call('/forget', { id: chosen })).view; draw(); state('ready'); } catch (problem) { say(problem instanceof Error ? { text: T('lost') } : problem); }
      });
      box.replaceChildren(el('p', 'small', T('kept')), forget);
    } else if (needsPassword()) {
      if (!$('password')) {
        box.replaceChildren(...hinted('password', T(current().pin ? 'pin' : 'password')), el('p', 'small', T('once')));
        if (view.canKeep && !['list', 'compare'].includes(view.kind) && !current().pin) box.append(tickBox('keep', T('keep'))[0]);
        if (view.kind === 'list' && !current().pin && view.keys.filter((k) => k.state === 'locked' && !k.pin).length > 1) box.append(tickBox('same', T('same'))[0]);
      }
    } else box.replaceChildren();
  }

  // tokens asks which token takes the new keys, and for its PIN.
  function tokens(box) {
    const list = view.tokens || [];
    if (!list.length) return;
    const set = el('fieldset');
    set.id = 'token';
    set.append(el('legend', '', T('token')));
    for (const t of list) {
      const [l, i] = tickBox('token-' + t.id, t.label + (t.serial ? ' · ' + t.serial : ''));
      i.type = 'radio';
      i.name = 'token';
      i.value = t.id;
      i.checked = list.length === 1;
      set.append(l);
    }
    box.append(set, ...hinted('password', T('pin')), el('p', 'small', T('pin-why')));
  }

  function label() {
    const names = { choose: 'choose', read: 'allow', fetch: 'fetch', save: 'save', notice: 'seen', generate: 'generate', install: 'install', refused: 'seen', 'generate-many': 'generate', 'install-many': 'install', 'sign-many': 'sign-all', stamp: 'stamp', renew: 'renew', password: 'change', backup: 'copy' };
    const last = { info: 'give', large: 'sign-large', compare: 'compare' };
    const k = current();
    let text = names[view.kind];
    if (!text && view.kind === 'list') text = needsPassword() ? 'unlock' : 'tell';
    if (!text) text = k && k.state === 'locked' ? 'unlock' : last[view.kind] || 'sign';
    $('sign').textContent = (text === 'sign' || text === 'seen') && view.button ? view.button : T(text);
    $('sign').dataset.act = text;
  }

  // offered puts the keys: a field to find one when there are many, and behind a fold those that do not fit, when others do.
  function offered(box, rows) {
    const away = rows.filter(([k]) => !k.fits);
    const fold = away.length > 2 && away.length < rows.length ? el('details') : null;
    const opened = $('unfit') && $('unfit').open;
    if (fold) {
      fold.id = 'unfit';
      fold.open = opened;
      fold.append(el('summary', '', T('unfit', { n: away.length })), ...away.map(([, e]) => e));
    }
    if (rows.length > many) box.append(...finder(rows.map(([, e]) => e), fold ? [fold] : []));
    for (const [k, e] of rows) if (k.fits || !fold) box.append(e);
    if (fold) box.append(fold);
  }

  // text shows a document as text; the part that is signed is marked when it is not the whole.
  function text(parent, d) {
    if (!d.text && !d.parts) return;
    const p = el('pre');
    p.tabIndex = 0;
    for (const part of d.parts || [{ text: d.text }]) p.append(part.signed ? el('mark', '', part.text) : part.text);
    parent.append(p);
  }

  // elsewhere lets the person name a folder that is not looked into yet.
  function elsewhere() {
    if (!['sign', 'info', 'list', 'sign-many', 'compare'].includes(view.kind)) return null;
    const box = el('details');
    box.id = 'elsewhere';
    box.open = !(view.keys || []).length;
    box.append(el('summary', '', T('other-folder')));
    const [l, i] = input('other-folder', 'text', T('other-folder-label'));
    const list = el('datalist');
    list.id = 'places';
    for (const f of view.places || []) { const o = el('option'); o.value = f; list.append(o); }
    i.setAttribute('list', 'places');
    const b = el('button', '', T('look-there'));
    b.type = 'button';
    b.id = 'look-there';
    const look = async () => {
      say(null);
      state('busy');
      try { redraw((await call('/watch', { folder: i.value })).view); state('ready'); } catch (problem) { state('ready'); say(problem instanceof Error ? { text: T('lost') } : problem); }
    };
    b.addEventListener('click', look);
    i.addEventListener('keydown', (ev) => { if (ev.key === 'Enter') { ev.preventDefault(); look(); } });
    box.append(l, i, list, b);
    return box;
  }

  function documents() {
    const box = $('what');
    box.replaceChildren();
    if (view.refusal) { const p = el('p', view.kind === 'notice' ? 'remark amber' : 'remark red', view.refusal); p.id = 'refusal'; box.append(p); }
    if (view.named) { const p = el('p', 'named', view.named); p.id = 'named'; box.append(el('h2', '', T('named')), p); }
    if (view.logo) { const i = el('img', 'logo'); i.src = 'data:image/png;base64,' + view.logo; i.alt = T('logo'); $('who').append(i); }
    const alone = view.kind !== 'sign-many';
    if (view.documents && alone) box.append(el('h2', '', T(view.kind === 'stamp' ? 'signed' : 'what')));
    if (alone && (view.documents || []).length > 1) box.append(el('p', 'small', T('all-documents', { n: view.count })));
    let to = box;
    for (const [at, d] of ((alone && view.documents) || []).entries()) {
      if (at === 3 && view.documents.length > 4) { // the keys stay in reach
        to = el('details');
        to.id = 'rest';
        to.append(el('summary', '', T('rest-documents', { n: view.documents.length - at })));
        box.append(to);
      }
      const e = el('div', 'document');
      e.dataset.kind = d.kind;
      if (d.facts) {
        const said = el('dl', 'facts');
        for (const f of d.facts) said.append(el('dt', '', f.name), el('dd', '', f.value));
        e.append(said);
      }
      let rest = e;
      if (d.facts) { rest = el('details'); rest.append(el('summary', '', T('exact'))); e.append(rest); }
      if (d.name) e.prepend(el('p', 'owner', d.name));
      text(rest, d);
      if (d.parts) rest.append(el('p', 'small', T('signed-part')));
      if (d.part) rest.append(el('p', 'named', 'Id = ' + d.part));
      if (d.cut) e.append(el('p', 'small', T('cut')));
      if (d.note) e.append(el('p', d.kind === 'digest' ? 'remark red' : 'remark', d.note));
      if (d.signers && d.signers.length) e.append(el('p', 'small', T('signers') + ': ' + d.signers.join(', ')));
      const list = el('dl');
      list.append(el('dt', '', T('size')), el('dd', '', d.size.toLocaleString(view.lang)), el('dt', '', T(d.kind === 'digest' ? 'digest-only' : 'digest')), el('dd', '', d.digest));
      rest.append(list);
      to.append(e);
    }
    if (view.more) box.append(el('p', 'remark red', view.more));
    if (view.facts) {
      const list = el('dl', 'facts');
      for (const f of view.facts) list.append(el('dt', '', f.name), el('dd', '', f.value));
      box.append(el('h2', '', T('file')), list);
    }
    if (view.owner) {
      const list = el('dl');
      for (const p of view.owner) list.append(el('dt', '', p.name), el('dd', '', p.value));
      const which = el('ul');
      for (const p of view.profiles || []) which.append(el('li', '', p));
      box.append(el('h2', '', T('owner')), list, el('h2', '', T('profiles')), which);
    }
    if (view.orders) {
      box.append(el('h2', '', T('many-orders') + ' (' + view.orders.length + ')'));
      for (const o of view.orders) {
        const e = el('div', 'certificate');
        e.append(el('span', 'owner', o.organization || o.owner));
        if (o.organization) e.append(el('span', 'organization', o.owner));
        const numbers = [T('iin') + ' ' + o.iin, o.bin && T('bin') + ' ' + o.bin, o.email, o.profiles.join(', ')].filter(Boolean).join(' · ');
        const n = el('span', 'small', numbers); e.append(n);
        box.append(e);
      }
    }
    if (view.certificates) {
      box.append(el('h2', '', T('certificates')));
      for (const c of view.certificates) {
        const e = el('div', 'certificate');
        card(e, c.card);
        if (c.file) e.append(el('span', 'small', c.file));
        box.append(e);
      }
      box.append(el('p', 'small', view.token ? T('token') + ': ' + view.token : T('folder-is') + ': ' + view.folder));
    }
  }

  function draw() {
    document.documentElement.lang = view.lang;
    document.title = view.title + ' · Senim';
    body.dataset.kind = view.kind;
    $('title').textContent = view.title;
    $('queue').textContent = view.waiting || '';
    const line = $('line');
    line.hidden = !view.line;
    line.replaceChildren(el('h2', '', T('line')));
    for (const w of view.line || []) line.append(el('p', 'small', w.name + ' · ' + w.value));
    const who = $('who');
    who.replaceChildren(el('h2', '', T('who')), el('p', 'asker', view.site.origin));
    if (view.site.ascii) who.append(el('p', 'small', view.site.ascii));
    who.append(el('p', 'small', view.site.explain));
    if (view.site.known) who.append(el('p', view.site.again ? 'small' : 'remark', view.site.known));
    if (view.site.warning) who.append(el('p', 'remark red', view.site.warning));
    $('warnings').replaceChildren(...(view.warnings || []).map(remark));
    documents();
    const choice = $('choice');
    choice.replaceChildren();
    if (view.kind === 'choose') chooser();
    if (['sign', 'info', 'list', 'large', 'password', 'backup', 'compare'].includes(view.kind)) {
      choice.append(el('h2', '', T(view.kind === 'list' ? 'told' : 'keys')));
      if (view.wants && view.wants.length) choice.append(el('p', 'small', T('wants') + ': ' + view.wants.join(', ')));
      if (!view.keys || !view.keys.length) choice.append(el('p', '', T('no-keys')));
      const told = (view.keys || []).filter((k) => k.state !== 'locked').length;
      if (view.kind === 'list' && told > 1) {
        const [l, i] = tickBox('all', T('all'));
        i.addEventListener('change', () => { for (const t of document.querySelectorAll('.key input[type=checkbox]:not(:disabled)')) t.checked = i.checked; });
        choice.append(l);
      }
      offered(choice, (view.keys || []).map((k) => [k, row(k, view.kind === 'list')]));
    }
    const other = elsewhere();
    if (view.kind === 'stamp') choice.append(el('p', 'small', T('no-key-needed')));
    if (view.kind === 'sign-many' || view.kind === 'renew') {
      choice.append(el('h2', '', T('many-keys')));
      if ((view.missing || []).length) choice.append(el('p', 'remark amber', T('missing') + ': ' + view.missing.length));
      offered(choice, (view.keys || []).map((k) => [k, manyRow(k)]));
    }
    if (other) choice.append(other);
    fields();
    $('cancel').textContent = T(view.kind === 'notice' ? 'seen' : 'cancel');
    $('cancel').hidden = view.kind === 'refused' || view.kind === 'notice' && !view.button;
    $('block').textContent = view.block || '';
    $('block').hidden = !view.block;
  }

  // words are the new password, where one is asked for.
  const words = () => ($('new-password') ? { newPassword: $('new-password').value, newPassword2: $('new-password-2').value } : {});

  async function act() {
    say(null);
    const k = current();
    let d = {};
    if (view.kind === 'generate' || view.kind === 'generate-many') {
      d = { folder: $('folder') ? $('folder').value : '' };
      const token = document.querySelector('input[name=token]:checked');
      if ($('token')) d = { token: token ? token.value : '', password: $('password').value };
      else if ($('elsewhere') && !$('elsewhere').hidden) d = { ...d, confirm: true, newPassword: $('new-password').value, newPassword2: $('new-password-2').value };
      else if (view.confirm) d = { ...d, confirm: $('confirm').checked };
    } else if (view.kind === 'install' || view.kind === 'install-many') {
      d = { ...words(), confirm: !!($('confirm') && $('confirm').checked) };
      if ($('password')) d.password = $('password').value;
      if (view.sealed) d.password = $('pending-password').value;
      const sealed = view.kind === 'install-many' ? view.certificates.filter((c) => c.sealed) : [];
      d.passwords = Object.fromEntries(sealed.map((c) => [c.id, $('pending-' + c.id).value]));
      d.skip = sealed.filter((c) => $('skip-' + c.id).checked).map((c) => c.id);
    } else if (view.kind === 'password') {
      d = { key: chosen, password: $('password').value, newPassword: $('new-password').value, newPassword2: $('new-password-2').value, confirm: $('confirm').checked };
    } else if (view.kind === 'backup') d = { key: chosen, password: $('password').value, folder: $('folder').value };
    else if (view.kind === 'sign-many' || view.kind === 'renew') {
      const wrong = await openMany(tries());
      const skip = !!($('confirm') && $('confirm').checked);
      if (wrong.size && !skip) {
        state('ready');
        const first = document.querySelector('input[aria-invalid=true]');
        if (first) first.focus();
        return;
      }
      d = { confirm: skip };
      if (view.kind === 'renew') d = { ...d, ...words(), code: $('code').value };
    } else if (view.kind === 'choose') d = { file: picked };
    else if (view.kind === 'save') d = { saveAs: $('save-as').value };
    else if (!['refused', 'notice', 'read', 'fetch', 'stamp'].includes(view.kind)) {
      if (view.kind === 'list' && needsPassword() && $('same') && $('same').checked) {
        // One password for all that are still locked; those it does not open stay as they are.
        const word = $('password').value;
        const locked = view.keys.filter((x) => x.state === 'locked' && !x.pin && x.id !== chosen).map((x) => [x.id, word]);
        const wrong = await openMany([[chosen, word], ...locked]);
        for (const [id] of wrong) { if (id !== chosen) atRow(id, null); }
        chosen = wrong.has(chosen) ? chosen : '';
        fields();
        state('ready');
        $('sign').focus();
        return;
      }
      if (needsPassword() || recalls()) {
        const locked = k.state === 'locked';
        const field = $('password');
        const answer = await call('/unlock', recalls() ? { id: k.id, remembered: true } : { id: k.id, password: field.value, remember: !!($('keep') && $('keep').checked) });
        if (field) field.value = '';
        const ticked = [...document.querySelectorAll('.key input[type=checkbox]:checked')].map((i) => i.value);
        view = answer.view;
        if (view.kind === 'list') { ticked.push(chosen); chosen = ''; }
        draw();
        for (const i of document.querySelectorAll('.key input[type=checkbox]')) i.checked = ticked.includes(i.value);
        // A key seen for the first time shows its owner before anything is signed with it.
        const now = (view.keys || []).find((x) => x.id === k.id);
        if (locked || view.kind === 'list' || !now || !now.fits) { state('ready'); $('sign').focus(); return; }
      }
      if (view.kind === 'list') d = { keys: [...document.querySelectorAll('.key input[type=checkbox]:checked')].map((i) => i.value) };
      else d = { key: chosen };
      if ($('save-as')) d.saveAs = $('save-as').value;
    }
    const answer = await decideMany(d);
    end(answer.text, answer.failed);
  }

  async function cancel(block) {
    if (over || leaving) return;
    leaving = true;
    state('busy');
    $('cancel').disabled = true;
    try { const text = (await call('/cancel', { block })).text; if (!over) end(text); } catch (problem) { end(problem.text || T('lost'), true); }
  }

  $('form').addEventListener('submit', async (ev) => {
    ev.preventDefault();
    if (over || body.dataset.state !== 'ready') return;
    state('busy');
    try { await act(); } catch (problem) {
      if (over || leaving) return; // cancelled meanwhile
      if (problem instanceof Error) problem = { code: 'lost', text: T('lost') };
      if (problem.code === 'over' || problem.code === 'token_twice' || problem.code === 'lost' || problem.code === 'no_key') end(problem.text, true);
      else {
        try { await lacks(problem); } catch (other) { end(other.text || T('lost'), true); return; }
        state('ready');
        say(problem);
      }
    }
  });
  $('cancel').addEventListener('click', () => cancel(false));
  $('block').addEventListener('click', () => cancel(true));
  addEventListener('keydown', (ev) => { if (ev.key === 'Escape' && view && !over) cancel(false); });
  // Closing the window is a cancel, too.
  addEventListener('pagehide', () => {
    if (!over) leave('/cancel', { block: false });
  });

  // redraw draws the window again and keeps what the person typed and ticked.
  function redraw(next) {
    const typed = new Map([...document.querySelectorAll('input[type=password]')].map((i) => [i.id, i.value]));
    const ticked = [...document.querySelectorAll('.key input[type=checkbox]:checked')].map((i) => i.value);
    const focus = document.activeElement && document.activeElement.id;
    view = next;
    if (!chosen) chosen = view.preselect || '';
    draw();
    label();
    for (const i of document.querySelectorAll('input[type=password]')) i.value = typed.get(i.id) || i.value;
    for (const i of document.querySelectorAll('.key input[type=checkbox]')) i.checked = ticked.includes(i.value);
    if (focus && $(focus)) $(focus).focus();
  }

  // lacks draws the window again when a problem is about a field that was not needed before: the keychain, or the room, is
  // another by now.
  async function lacks(problem) {
    const field = problem.field && $(problem.field);
    if (!['generate', 'generate-many'].includes(view.kind) || !problem.field || field && !field.closest('[hidden]')) return;
    const folder = $('folder') && $('folder').value;
    $('fields').replaceChildren();
    redraw((await call('/look', {})).view);
    if ($('folder')) $('folder').value = folder;
  }

  (async () => {
    try {
      view = await begin();
      chosen = view.preselect || '';
      draw();
      state('ready');
      const first = $('password') || $('folder') || $('folder-now') || (view.kind === 'save' && $('save-as')) || $('new-password') || document.querySelector('.key input:not(:disabled)') || $('title');
      first.focus();
      const watch = setInterval(async () => { // the page that asked may have gone; a key may have been plugged in
        if (over) { clearInterval(watch); return; }
        if (body.dataset.state !== 'ready') return;
        try {
          const now = await call('/alive', {});
          if (now.changed && body.dataset.state === 'ready') { redraw((await call('/look', {})).view); $('live').textContent = T('plugged'); }
        } catch (problem) { if (!over) end(problem.code === 'token_twice' ? problem.text : T('lost'), true); }
      }, 3000);
    } catch (problem) {
      end(problem.text || 'Senim', true);
      if (view) throw problem; // a fault of this page
    }
  })();
})();
