// The page that TestSeithq opens: it loads the unmodified library, which is CommonJS, calls its whole
// public interface in one run, and tells what came of each call.
(async () => {
  const modules = {};
  const load = async (name) => {
    const source = await (await fetch('/dist/' + name + '.js')).text();
    modules[name] = { source, exports: null };
  };
  for (const name of ['helpers', 'response', 'client', 'index']) await load(name);
  const require = (path) => {
    const m = modules[path.replace('./', '')];
    if (!m.exports) {
      m.exports = {};
      new Function('exports', 'require', m.source)(m.exports, require);
    }
    return m.exports;
  };
  const { default: Client, extractKeyAlias } = require('./index');
  const said = [];
  const finish = (error) => fetch('/done', { method: 'POST', body: JSON.stringify({ said, error: error ? String(error) : '' }) });
  try {
    const { agent, folder, key, file } = await (await fetch('/setup')).json();
    const ws = new WebSocket(agent);
    ws.onerror = () => finish('the socket failed');
    const client = new Client(ws);
    for (let i = 0; i < 200 && !client.version; i += 1) await new Promise((go) => { setTimeout(go, 25); });
    said.push({ method: 'greeting', result: client.version, ok: true });
    const call = (method, ...args) => new Promise((done) => {
      client[method](...args, (r) => {
        said.push({ method, result: r.getResult(), ok: r.isOk(), code: r.getErrorCode() });
        done(r.getResult());
      });
    });
    const store = 'PKCS12';
    const junk = 'not the password';
    const path = await call('browseKeyStore', store, 'P12', folder);
    const doc = await call('showFileChooser', 'ALL', folder);
    const alias = extractKeyAlias(await call('getKeys', store, path, junk, 'ALL'));
    client.setLocale('ru', () => said.push({ method: 'setLocale', result: 'was answered', ok: false }));
    said.push({ method: 'setLocale', result: '', ok: true });
    for (const method of ['getNotBefore', 'getNotAfter', 'getSubjectDN', 'getIssuerDN']) await call(method, store, path, alias, junk);
    await call('getRdnByOid', store, path, alias, junk, '2.5.4.3', 0);
    await call('verifyPlainData', store, path, alias, junk, 'текст', await call('signPlainData', store, path, alias, junk, 'текст'));
    await call('verifyCMSSignature', 'текст', await call('createCMSSignature', store, path, alias, junk, 'текст', false));
    await call('verifyCMSSignatureFromFile', doc, await call('createCMSSignatureFromFile', store, path, alias, junk, doc, true));
    await call('verifyXml', await call('signXml', store, path, alias, junk, '<a>б</a>'));
    const part = await call('signXmlByElementId', store, path, alias, junk, '<d><b id="x1">б</b><p></p></d>', 'b', 'id', 'p');
    await call('verifyXmlByElementId', part, 'id', 'p');
    await call('getHash', 'текст', 'SHA256');
    said.push({ method: 'paths', result: String(path === key && doc === file), ok: path === key && doc === file });
    client.close();
    await finish();
  } catch (error) { await finish(error); }
})();
