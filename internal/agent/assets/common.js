// What the pages of the agent's own share. Everything shown is written as text, never as markup.
const shared = (() => {
  'use strict';
  const $ = (id) => document.getElementById(id);
  const words = { texts: {} };
  let key = ''; // lives in this closure only; nothing is stored

  // seen shows what cannot be seen, marks of direction among it: names, paths and addresses are others' choice. The text of
  // a document is shown as it is: the agent looked at its characters.
  const seen = (text, lines) => String(text).replace(/[\p{C}\p{Zl}\p{Zp}]/gu, (c) => (lines && c === '\n' ? c : '\ufffd'));
  const el = (name, className, text) => {
    const e = document.createElement(name);
    if (className) e.className = className;
    if (text !== undefined) e.textContent = name === 'mark' ? text : seen(text);
    return e;
  };
  const T = (name, values) => Object.entries(values || {}).reduce((text, [k, v]) => text.split('{' + k + '}').join(v), words.texts[name] || '');

  async function call(path, data) {
    const headers = { 'Content-Type': 'application/json' };
    if (key) headers['X-Window-Key'] = key;
    const r = await fetch(path, { method: 'POST', headers, body: JSON.stringify(data), cache: 'no-store', credentials: 'omit' });
    const answer = await r.json().catch(() => ({}));
    if (!r.ok) throw (answer.error || { code: 'status', text: String(r.status) });
    return answer;
  }

  // begin exchanges the token in the fragment, once, for the key of this page.
  async function begin() {
    const token = location.hash.slice(1);
    history.replaceState(null, '', '/');
    const answer = await call('/open', { token });
    key = answer.key;
    words.texts = answer.view.texts;
    return answer.view;
  }

  // leave tells the agent that the page goes away.
  function leave(path, data) {
    if (key) fetch(path, { method: 'POST', keepalive: true, headers: { 'Content-Type': 'application/json', 'X-Window-Key': key }, body: JSON.stringify(data) });
  }

  const remark = (r) => { const e = el('span', 'remark ' + r.level, r.text); e.dataset.code = r.code; return e; };

  function card(parent, c) {
    parent.append(el('span', 'owner', c.organization || c.owner));
    if (c.organization) parent.append(el('span', 'organization', c.owner));
    const numbers = [c.iin && T('iin') + ' ' + c.iin, c.bin && T('bin') + ' ' + c.bin].filter(Boolean).join(' · ');
    if (c.roles.length) parent.append(el('span', 'small', c.roles.join(', ')));
    if (numbers) parent.append(el('span', 'small', numbers));
    const bar = el('span', 'bar');
    const used = el('span'); used.style.width = c.used + '%';
    const today = el('i'); today.style.left = 'calc(' + c.used + '% - 1px)';
    bar.append(used, today);
    bar.setAttribute('role', 'img');
    bar.setAttribute('aria-label', c.from + ' – ' + c.until);
    parent.append(bar);
    const until = el('span', 'small', c.until);
    until.dataset.expiry = c.expiry;
    parent.append(until);
    for (const text of [T('can') + ': ' + c.can.join(', '), T('issuer') + ': ' + c.issuer + (c.issuerKnown ? '' : ' (' + T('unknown-issuer') + ')')]) {
      parent.append(el('span', 'small detail', text));
    }
  }

  function tickBox(id, text) {
    const l = el('label', 'tick');
    const i = el('input');
    i.type = 'checkbox';
    i.id = id;
    l.append(i, el('span', '', text));
    return [l, i];
  }

  function input(id, type, text) {
    const l = el('label', '', text);
    l.htmlFor = id;
    const i = el('input');
    i.id = id;
    i.type = type;
    i.autocomplete = type === 'password' ? 'new-password' : 'off';
    i.spellcheck = false;
    return [l, i];
  }

  // hint tells at the field about Caps Lock and a layout that no password can be typed in.
  function hinted(id, text) {
    const [l, i] = input(id, 'password', text);
    const h = el('p', 'hint');
    h.id = id + '-hint';
    h.setAttribute('aria-live', 'polite');
    const look = (ev) => {
      const caps = ev.getModifierState && ev.getModifierState('CapsLock');
      const other = /[^\x20-\x7e]/.test(i.value) || (ev.key && ev.key.length === 1 && /[^\x20-\x7e]/.test(ev.key));
      h.textContent = [caps ? T('caps') : '', other ? T('layout') : ''].filter(Boolean).join('. ');
    };
    for (const name of ['keydown', 'keyup', 'input']) i.addEventListener(name, look);
    return [l, i, h];
  }

  // finder is a field that leaves, of many rows, those with what was typed, or, when there are none, with all its words; numbers may be typed with spaces or
  // without. A section whose rows are all away goes with them. A row that is found by a copy of its file says where that is.
  // What was typed outlives drawing anew.
  let sought = '';
  function finder(rows, sections, beside) {
    const [l, i] = input('find', 'search', T('find'));
    const n = el('p', 'small');
    n.id = 'found';
    n.setAttribute('aria-live', 'polite');
    const plain = (text) => text.toLocaleLowerCase().replace(/(\d)\s+(?=\d)/g, '$1');
    const texts = rows.map((r) => plain(r.textContent + ' ' + (beside ? beside(r) : '')));
    const besides = rows.map((r) => plain([...r.children].filter((c) => c.dataset.code !== 'copies').map((c) => c.textContent).join(' ') + ' ' + (beside ? beside(r) : '')));
    const copyOf = (r, at, words) => {
      const old = r.querySelector(':scope > .copy');
      if (old) old.remove();
      if (r.hidden || words.every((w) => besides[at].includes(w))) return;
      const copy = (r.copies || []).find((c) => words.every((w) => plain(c).includes(w)));
      if (copy) r.append(el('span', 'small copy', T('copy-at') + ' ' + copy));
    };
    const look = () => {
      sought = i.value;
      const phrase = plain(sought.trim());
      const words = texts.some((t) => t.includes(phrase)) ? [phrase].filter(Boolean) : phrase.split(/\s+/);
      rows.forEach((r, at) => { r.hidden = !words.every((w) => texts[at].includes(w)); copyOf(r, at, words); });
      for (const s of sections || []) {
        s.hidden = ![...s.querySelectorAll('[data-key-id]')].some((r) => !r.hidden);
        if (words.length && !s.hidden) s.open = true; // of a fold
      }
      n.textContent = words.length ? T('found', { n: rows.filter((r) => !r.hidden).length, of: rows.length }) : '';
    };
    i.value = sought;
    i.addEventListener('input', look);
    i.addEventListener('keypress', (ev) => { if (ev.key === 'Enter') ev.preventDefault(); }); // it finds, it does not sign
    i.addEventListener('keydown', (ev) => { // Escape forgets the words before it closes the window
      if (ev.key === 'Escape' && i.value) { ev.preventDefault(); ev.stopPropagation(); i.value = ''; look(); }
    });
    look();
    return [l, i, n];
  }

  // folder shows the files of one folder: go leads to another, picked is told which file is marked.
  function folder(box, c, wants, go, picked) {
    const jump = (text, to) => { const b = el('button', 'quiet', text); b.type = 'button'; b.addEventListener('click', () => go(to)); return b; };
    const here = el('h2', '', c.folder || T('files'));
    here.id = 'folder-now';
    here.tabIndex = -1;
    box.replaceChildren(here);
    if (wants && wants.length) box.append(el('p', 'small', T('only') + ' ' + wants.join(', ')));
    const list = el('ul', 'entries');
    list.id = 'chooser';
    if (c.parent) { const l = el('li'); l.append(jump('↑ ' + T('up'), c.parent)); list.append(l); }
    for (const e of c.entries) {
      const l = el('li');
      if (e.isFolder) l.append(jump('▸ ' + e.name, e.path));
      else {
        const [line, i] = tickBox('', '');
        i.type = 'radio';
        i.name = 'file';
        i.value = e.path;
        i.removeAttribute('id');
        i.addEventListener('change', () => picked(e.path));
        line.lastChild.append(el('span', 'file', e.name), el('span', 'small', ' ' + e.about));
        l.append(line);
      }
      list.append(l);
    }
    box.append(list);
    if (!c.entries.some((e) => !e.isFolder)) box.append(el('p', '', T('empty')));
    if (c.more) box.append(el('p', 'remark amber', c.more));
    const others = c.places.filter((f) => f !== c.folder);
    if (others.length) {
      const l = el('ul', 'entries');
      for (const f of others) { const i = el('li'); i.append(jump(f, f)); l.append(i); }
      box.append(el('h2', '', T('places')), l);
    }
  }

  return { finder, folder, $, el, seen, T, call, begin, leave, remark, card, tickBox, input, hinted, speak: (texts) => { words.texts = texts; } };
})();
