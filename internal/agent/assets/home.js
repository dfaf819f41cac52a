// The agent's own page: keys, calendar, sites, folders, settings. Every act asks the agent and draws
// what it answers.
(() => {
  'use strict';
  const { finder, folder, $, el, seen, T, call, begin, leave, remark, card, tickBox, input, hinted, speak } = shared;
  const body = document.body;
  const parts = ['keys', 'calendar', 'sites', 'folders', 'tokens', 'authorities', 'settings'];
  let view = null;
  let over = false;

  function say(problem) {
    const box = $('error');
    box.hidden = !problem;
    box.textContent = problem ? seen(problem.text || T('lost')) : '';
    for (const i of document.querySelectorAll('[aria-invalid]')) { i.removeAttribute('aria-invalid'); i.removeAttribute('aria-describedby'); }
    if (!problem) return;
    box.dataset.code = problem.code || '';
    const field = problem.field && $(problem.field);
    if (field) {
      field.setAttribute('aria-invalid', 'true');
      field.setAttribute('aria-describedby', 'error');
      (field.closest('label') || field).after(box); // beside the field
      field.focus();
      if (field.select) field.select();
    } else $('part').before(box);
  }

  function end(text) {
    over = true;
    $('parts').hidden = true;
    $('part').replaceChildren(el('p', '', text));
    $('part').firstChild.id = 'done';
    body.dataset.state = 'done';
  }

  // act sends one wish; what comes back is drawn.
  async function act(path, data, said) {
    if (over) return;
    say(null);
    body.dataset.state = 'busy';
    $('live').textContent = T('busy');
    try {
      view = (await call(path, data)).view;
      speak(view.texts);
      draw();
      $('live').textContent = said || T('saved');
    } catch (problem) {
      $('live').textContent = '';
      if (problem instanceof Error || ['over', 'token_twice', 'no_key'].includes(problem.code)) { end(problem.text || T('lost')); return; }
      say(problem);
    }
    body.dataset.state = 'ready';
  }

  const button = (text, what, press, className) => {
    const b = el('button', className || '', text);
    b.type = 'button';
    if (what) b.setAttribute('aria-label', text + ': ' + what);
    b.addEventListener('click', press);
    return b;
  };

  function show(part) {
    body.dataset.part = part;
    say(null);
    draw();
    $('live').textContent = '';
    $('title').focus();
  }

  // revoke leads to the cabinet's page where a key is revoked.
  function revoke(box, k) {
    const a = el('a', 'button revoke', T('revoke'));
    a.href = k.revoke;
    a.target = '_blank';
    a.rel = 'noopener noreferrer';
    a.setAttribute('aria-label', T('revoke') + ': ' + (k.file || k.card.owner + ', ' + k.card.until));
    box.append(a);
  }

  const manyKeys = 8; // more are shown short, and can be searched

  // short puts behind a fold what is not needed to know one key among many.
  function short(e) {
    const rest = [...e.querySelectorAll(':scope > .detail, :scope > .place, :scope > .remark.info, :scope > .remark[data-code=unchecked]')];
    const acts = e.querySelector(':scope > .acts');
    if (acts && !acts.querySelector('.revoke')) rest.push(acts);
    const fold = el('details');
    const name = el('summary', '', T('details'));
    name.setAttribute('aria-label', T('details') + ': ' + e.querySelector('.owner').textContent);
    fold.append(name, ...rest);
    e.append(fold);
  }

  // keyCard is one key: its owner, or the way to see it.
  function keyCard(k, company) {
    const e = el('div', 'certificate');
    e.dataset.keyId = k.id;
    e.dataset.state = k.state;
    if (k.card) card(e, company ? { ...k.card, organization: '' } : k.card); // the heading names the company
    else e.append(el('span', 'owner', k.about));
    e.copies = k.copies;
    e.append(el('span', 'small place', [k.on && k.about, k.file, k.folder, k.date].filter(Boolean).join(' · ')));
    for (const r of k.remarks || []) e.append(remark(r));
    if (k.state === 'locked') {
      const f = el('form');
      f.autocomplete = 'off';
      const [l, i, h] = hinted('password-' + k.id, T('password'));
      const b = el('button', '', T('show-owner'));
      b.type = 'submit';
      f.append(l, i, h);
      const others = view.groups.flatMap((g) => g.keys).filter((o) => o.state === 'locked' && o.id !== k.id).map((o) => o.id);
      const [same, all] = tickBox('same-' + k.id, T('same'));
      if (others.length) f.append(same);
      f.append(b);
      f.addEventListener('submit', (ev) => { ev.preventDefault(); open(k.id, i.value, all.checked ? others : []); });
      e.append(f);
    } else if (k.state === 'broken') e.dataset.fits = 'false'; // nothing can be done with it here
    else if (k.state === 'cabinet') {
      const acts = el('p', 'acts');
      revoke(acts, k);
      e.append(acts);
    } else {
      const acts = el('p', 'acts');
      if (k.revoke) revoke(acts, k);
      acts.append(button(T('forget'), k.file, () => act('/forget', { id: k.id }), 'forget'));
      e.append(acts);
    }
    return e;
  }

  // open shows whose a key is, and, when the person wishes, whose the others are that the same password opens.
  async function open(id, password, others) {
    await act('/unlock', { id, password }, T('opened'));
    let opened = 1;
    if (over || $('error').dataset.code && !$('error').hidden) return;
    body.dataset.state = 'busy';
    for (const [at, other] of others.entries()) {
      $('live').textContent = T('progress') + ': ' + (at + 1) + ' / ' + others.length;
      try { view = (await call('/unlock', { id: other, password })).view; opened += 1; } catch (problem) {
        if (problem instanceof Error || ['over', 'token_twice', 'no_key'].includes(problem.code)) { end(problem.text || T('lost')); return; }
      }
    }
    if (others.length) { draw(); $('live').textContent = T('opened-many', { n: opened }); }
    body.dataset.state = 'ready';
  }

  // soon says, before anything else, how many keys end within a month, and renews them.
  function soon(box) {
    const due = view.due.filter((d) => ['30', '14', '7', '1'].includes(d.stage));
    if (!due.length) return;
    const e = el('div', 'remark amber');
    e.id = 'soon';
    e.append(el('b', '', T('soon', { n: due.length })), el('span', '', ' ' + [...new Set(due.map((d) => d.owner))].slice(0, 3).join(', ') + (due.length > 3 ? '…' : '')));
    const acts = el('p', 'acts');
    offer(acts, ['renew']);
    acts.append(button(T('part-calendar'), '', () => show('calendar')));
    e.append(acts);
    box.append(e);
  }

  function keys(box) {
    if (!view.groups.length && !view.pending.length && !view.lists.length) { box.append(el('p', '', T('no-keys')), button(T('add-folder'), '', () => show('folders'), 'primary')); return; }
    for (const c of view.lists) lists(box, c);
    soon(box);
    const sections = view.groups.map((g) => {
      const e = el('section');
      e.append(el('h2', '', g.name || T('unopened')));
      if (!g.name) e.append(el('p', 'small', T('unopened-why')));
      for (const k of g.keys) e.append(keyCard(k, g.company));
      e.dataset.owner = g.name;
      return e;
    });
    const rows = sections.flatMap((e) => [...e.querySelectorAll('[data-key-id]')]);
    if (rows.length > manyKeys) {
      box.append(...finder(rows, sections, (r) => r.parentElement.dataset.owner));
      for (const r of rows) if (r.dataset.state !== 'locked') short(r);
    }
    box.append(...sections);
    if (view.pending.length) {
      box.append(el('h2', '', T('pending')));
      for (const p of view.pending) {
        const e = el('div', 'certificate');
        if (p.id) e.dataset.keyId = p.id;
        e.append(el('span', 'owner', p.file), el('span', 'small', T('pending-of', p)));
        if (p.folder) e.append(el('span', 'small', p.folder));
        if (p.left) e.append(remark({ level: 'amber', code: 'left', text: p.left }));
        if (p.token) {
          const [l, i, h] = hinted('pin-' + p.id, T('pin'));
          e.append(l, i, h, twice('discard', 'discard-sure', p.left ? 'discard-left-why' : 'discard-token-why', () => act('/discard', { id: p.id, password: i.value }), p.file));
          e.append(twice('discard-record', 'discard-record-sure', 'discard-record-why', () => act('/discard', { id: p.id, record: true }), p.file));
        } else if (p.id) e.append(twice('discard', 'discard-sure', 'discard-why', () => act('/discard', { id: p.id }), p.file));
        box.append(e);
      }
    }
    box.append(el('p', 'small', T('nobody-recovers')));
    const acts = el('p', 'acts');
    offer(acts, ['compare', 'password', 'backup']);
    box.append(acts);
    if (view.groups.some((g) => g.name)) box.append(forgetAll());
  }

  // lists shows the keys that only the cabinet has.
  function lists(box, c) {
    const e = el('section', 'list');
    e.append(el('h2', '', T('compare')), el('p', '', c.text));
    if (c.more) e.append(el('p', 'remark amber', c.more));
    e.append(el('p', c.keys.length ? '' : 'remark info', T(c.keys.length ? 'compare-away' : 'compare-none')));
    for (const k of c.keys) e.append(keyCard(k, false));
    box.append(e);
  }

  // twice is a button that asks twice, on itself.
  function twice(name, sure, why, press, what) {
    const box = el('p', 'acts');
    const b = button(T(name), what, () => {
      if (b.dataset.sure) { press(); return; }
      b.dataset.sure = 'yes';
      b.textContent = T(sure);
      if (what) b.setAttribute('aria-label', T(sure) + ': ' + what);
    }, 'quiet ' + name);
    box.append(b, el('span', 'small', T(why)));
    return box;
  }

  function forgetAll() {
    const box = twice('forget-all', 'forget-sure', 'forget-why', () => act('/forget', {}), '');
    box.firstChild.id = 'forget-all';
    return box;
  }

  // offer puts buttons of acts that open a window of their own.
  function offer(box, names) {
    for (const name of names.filter((n) => view.acts.includes(n))) {
      const b = button(T('act-' + name), '', () => act('/act', { act: name }, T('act-window')), name === 'renew' || name === 'compare' ? 'primary' : '');
      b.id = 'act-' + name;
      box.append(b);
    }
  }

  function cabinet(box) {
    if (!view.cabinet) return;
    const a = el('a', 'button', T('cabinet'));
    a.id = 'cabinet';
    a.href = view.cabinet;
    a.target = '_blank';
    a.rel = 'noopener noreferrer';
    box.append(a);
  }

  function calendar(box) {
    if (!view.due.length) { box.append(el('p', '', T('no-dates'))); return; }
    const table = el('table');
    const head = el('tr');
    for (const name of ['whose', 'what-can', 'when']) { const h = el('th', '', T(name)); h.scope = 'col'; head.append(h); }
    const rows = el('tbody');
    for (const d of view.due) {
      const r = el('tr');
      r.dataset.stage = d.stage;
      const who = el('td', '', d.owner);
      if (d.person) who.append(el('span', 'small', d.person));
      if (d.where) who.append(el('span', 'small where', d.where));
      const when = el('td');
      when.append(el('span', 'until', d.until));
      if (d.advice) when.append(el('span', 'small', d.advice));
      r.append(who, el('td', '', d.can), when);
      rows.append(r);
    }
    const top = el('thead');
    top.append(head);
    table.append(top, rows);
    const grid = el('ol', 'months');
    for (const m of view.months) {
      const e = el('li', '', m.name);
      e.dataset.heat = m.heat;
      e.dataset.stage = m.count ? m.stage : '';
      e.append(el('b', '', String(m.count)));
      grid.append(e);
    }
    const acts = el('p', 'acts');
    const save = button(T('export'), '', async () => {
      say(null);
      try {
        const file = await call('/calendar', {});
        const a = el('a');
        a.href = URL.createObjectURL(new Blob([file.text], { type: 'text/calendar' }));
        a.download = file.name;
        a.click();
        setTimeout(() => URL.revokeObjectURL(a.href), 1000);
        $('live').textContent = T('exported');
      } catch (problem) { say(problem instanceof Error ? { text: T('lost') } : problem); }
    }, 'primary');
    save.id = 'export';
    offer(acts, ['renew']);
    if (acts.firstChild) save.className = ''; // one primary button
    acts.append(save);
    cabinet(acts);
    box.append(table, el('h2', '', T('months')), grid, acts, el('p', 'small', T('export-why')));
  }

  function sites(box) {
    box.append(el('p', 'small', T('sites-why')));
    if (!view.sites.length) box.append(el('p', '', T('no-sites')));
    for (const s of view.sites) {
      const e = el('div', 'certificate site');
      e.dataset.origin = s.origin;
      e.dataset.permission = s.permission;
      e.append(el('span', 'owner', s.site.origin));
      if (s.site.ascii) e.append(el('span', 'small', s.site.ascii));
      e.append(el('span', 'small', s.text));
      const acts = el('p', 'acts');
      const set = (name, permission) => button(T(name), s.site.origin, () => act('/site', { origin: s.origin, permission }), permission);
      if (s.passing) acts.append(button(T('listen-site'), s.site.origin, () => act('/site', { origin: s.origin, permission: 'ask' }), 'ask'));
      else if (s.permission === 'blocked') acts.append(set('allow-site', 'allowed'), set('forget-site', 'ask'));
      else acts.append(set('forget-site', 'ask'), set('block-site', 'blocked'));
      e.append(acts);
      box.append(e);
    }
  }

  function folders(box) {
    const f = el('form');
    const [l, i] = input('folder', 'text', T('folder'));
    const list = el('datalist');
    list.id = 'usual';
    for (const u of view.usual) { const o = el('option'); o.value = u; list.append(o); }
    i.setAttribute('list', 'usual');
    const b = el('button', 'primary', T('add-folder'));
    b.id = 'add-folder';
    const acts = el('p', 'acts');
    acts.append(b);
    f.append(l, i, list, acts);
    f.addEventListener('submit', (ev) => { ev.preventDefault(); act('/folder', { folder: i.value }); });
    for (const d of view.folders) {
      const e = el('div', 'certificate folder');
      e.dataset.kind = d.kind;
      e.append(el('span', 'organization', d.path), el('span', 'small', d.text));
      if (d.kind === 'own') { const p = el('p', 'acts'); p.append(button(T('remove-folder'), d.path, () => act('/folder', { folder: d.path, remove: true }), 'remove')); e.append(p); }
      box.append(e);
    }
    box.append(f);
  }

  // tokens shows the drivers, and the way to add one: it is a program, and the page says so.
  const driver = { storage: '', path: '', sure: false }; // what was filled in, while the files are looked through
  function tokens(box) {
    box.append(el('p', 'small', T('tokens-why')));
    if (!view.drivers.length) box.append(el('p', '', T('no-drivers')));
    for (const d of view.drivers) {
      const e = el('div', 'certificate driver');
      e.dataset.storage = d.storage;
      e.dataset.kind = d.kind;
      e.append(el('span', 'owner', d.name), el('span', 'small', d.path), el('span', 'small', d.text));
      if (d.problem) e.append(remark({ level: 'amber', code: 'driver', text: d.problem }));
      if (d.kind === 'own') { const p = el('p', 'acts'); p.append(button(T('driver-remove'), d.name, () => act('/driver', { storage: d.storage, path: d.path, remove: true }), 'remove')); e.append(p); }
      box.append(e);
    }
    const f = el('form');
    f.append(el('h2', '', T('driver-add')));
    const kind = el('select');
    kind.id = 'driver-kind';
    for (const k of view.kinds) { const o = el('option', '', k.value); o.value = k.name; kind.append(o); }
    kind.value = driver.storage || view.kinds[0].name;
    kind.addEventListener('change', () => { driver.storage = kind.value; });
    const kindLabel = el('label', '', T('driver-kind'));
    kindLabel.htmlFor = 'driver-kind';
    const [l, i] = input('driver', 'text', T('driver'));
    i.value = driver.path;
    i.addEventListener('input', () => { driver.path = i.value; });
    const choose = button(T('driver-choose'), '', () => act('/files', {}, T('files')));
    choose.id = 'driver-choose';
    f.append(kindLabel, kind, l, i, choose);
    if (view.chooser) {
      const list = el('div');
      shared.folder(list, view.chooser, null, (folder) => act('/files', { folder }, T('files')), (path) => { driver.path = path; i.value = path; });
      f.append(list);
    }
    const [t, sure] = tickBox('driver-sure', T('driver-sure'));
    sure.checked = driver.sure;
    sure.addEventListener('change', () => { driver.sure = sure.checked; });
    const b = el('button', 'primary', T('driver-add'));
    b.id = 'driver-add';
    const acts = el('p', 'acts');
    acts.append(b);
    f.append(el('p', 'remark amber', T('driver-warning')), t, acts);
    f.addEventListener('submit', async (ev) => {
      ev.preventDefault();
      const before = view;
      await act('/driver', { storage: kind.value, path: i.value.trim(), sure: sure.checked });
      if (view !== before) { driver.path = ''; driver.sure = false; draw(); }
    });
    box.append(f);
  }

  // authority shows one, with the fingerprint that is to be compared.
  function authority(a) {
    const e = el('div', 'certificate');
    e.dataset.fingerprint = a.fingerprint;
    e.append(el('span', 'owner', a.name), el('span', 'small', a.text), el('span', 'small', T('fingerprint')), el('code', 'fingerprint', a.shown));
    return e;
  }

  function authorities(box) {
    box.append(el('p', 'small', T('authorities-why')));
    if (view.offered) { // one question: is it the one?
      const e = authority(view.offered);
      const acts = el('p', 'acts');
      const add = button(T('authority-add'), '', () => act('/authority', { fingerprint: view.offered.fingerprint }), 'primary');
      add.id = 'authority-add';
      acts.append(add);
      e.id = 'offered';
      e.append(el('p', 'remark amber', T('authority-compare')), acts);
      box.append(e);
    }
    if (!view.authorities.length) box.append(el('p', '', T('no-authorities')));
    for (const a of view.authorities) {
      const e = authority(a);
      if (a.own) { const p = el('p', 'acts'); p.append(button(T('authority-remove'), a.name, () => act('/authority', { fingerprint: a.fingerprint, remove: true }), 'remove')); e.append(p); }
      box.append(e);
    }
    if (view.national) {
      const acts = el('p', 'acts');
      const b = button(T('national'), '', () => act('/authority', { national: true }), view.offered ? '' : 'primary');
      b.id = 'national';
      acts.append(b, el('span', 'small', T('national-why')));
      box.append(acts);
    }
    const f = el('form');
    const [l, i] = input('authority', 'file', T('authority'));
    i.accept = '.cer,.crt,.der,.pem';
    const b = el('button', view.offered || view.national ? '' : 'primary', T('authority-look'));
    b.id = 'authority-look';
    const acts = el('p', 'acts');
    acts.append(b);
    f.append(l, i, acts);
    f.addEventListener('submit', async (ev) => {
      ev.preventDefault();
      const bytes = i.files[0] ? new Uint8Array(await i.files[0].slice(0, 32769).arrayBuffer()) : new Uint8Array();
      let text = '';
      for (const b of bytes) text += String.fromCharCode(b);
      act('/authority', { certificate: btoa(text) }, T('authority-read'));
    });
    box.append(f);
  }

  function settings(box) {
    const set = (id, value, data) => {
      const [l, i] = tickBox(id, T(id));
      i.checked = value;
      i.addEventListener('change', () => act('/set', data(i.checked)));
      box.append(l);
    };
    set('reminders', view.reminders, (on) => ({ reminders: on }));
    set('media', view.media, (on) => ({ media: on }));
    if (view.large) {
      set('large', view.large.on, (on) => ({ large: on }));
      box.append(el('p', 'small', T('large-why')));
      if (view.large.why) { const e = el('p', 'remark amber', view.large.why); e.id = 'large-held'; box.append(e); }
    }
    box.append(el('h2', '', T('index')), el('p', '', view.indexText));
    $('part').lastChild.id = 'index';
    if (view.index !== 'keychain') set('plain', view.plain, (on) => ({ plain: on }));
    box.append(el('p', 'small', T('version') + ': ' + view.version));
  }

  const draws = { keys, calendar, sites, folders, tokens, authorities, settings };

  function draw() {
    const part = body.dataset.part;
    document.documentElement.lang = view.lang;
    $('title').textContent = T('title-' + part);
    document.title = T('title-' + part) + ' · Senim';
    $('parts').setAttribute('aria-label', T('title'));
    $('parts').replaceChildren(...parts.map((p) => {
      const b = button(T('part-' + p), '', () => show(p));
      b.dataset.part = p;
      if (p === part) b.setAttribute('aria-current', 'page');
      return b;
    }));
    $('language').setAttribute('role', 'group');
    $('language').setAttribute('aria-label', T('language'));
    $('language').replaceChildren(...view.languages.map((l) => {
      const b = button(l.value, '', () => act('/set', { lang: l.name }));
      b.lang = l.name;
      b.setAttribute('aria-current', String(l.name === view.lang));
      return b;
    }));
    $('part').before($('error'));
    $('part').replaceChildren();
    const old = $('broken');
    if (old) old.remove();
    if (view.broken) {
      const box = el('div');
      box.id = 'broken';
      for (const r of view.broken) box.append(remark(r));
      const seen = button(T('broken-seen'), '', () => act('/set', { seen: true }));
      seen.id = 'broken-seen';
      box.append(seen);
      $('part').before(box);
    }
    draws[part]($('part'));
  }

  addEventListener('pagehide', () => { if (!over) leave('/close', {}); });

  (async () => {
    try {
      view = await begin();
      if (parts.includes(view.part)) body.dataset.part = view.part;
      draw();
      body.dataset.state = 'ready';
      $('title').focus();
      const watch = setInterval(async () => { // the agent may have stopped, or another page was opened
        if (over) { clearInterval(watch); return; }
        if (body.dataset.state !== 'ready') return;
        const typing = () => [...document.querySelectorAll('input[type=password]')].some((i) => i.value);
        try {
          const now = await call('/alive', {});
          if (body.dataset.state !== 'ready' || typing()) return;
          if (now.listed !== view.listed) await act('/look', {}, T('compared'));
          else if (now.turn !== view.turn) await act('/look', {}, T('plugged'));
        } catch (problem) { if (!over) end(problem.code === 'token_twice' ? problem.text : T('closed')); }
      }, 3000);
    } catch (problem) {
      end(problem.text || 'Senim');
      if (view) throw problem; // a fault of this page
    }
  })();
})();
