// The page, or the program, that the tests of the agent speak through: it evaluates one expression after
// another with the unmodified client and tells what came of it.
(async () => {
  const node = typeof document === 'undefined';
  const base = node ? process.argv[2] : location.origin;
  if (node) {
    globalThis.window = { btoa: globalThis.btoa }; // what a page has, and the client asks for when it is loaded
    const path = require.resolve('ncalayer-js-client', { paths: [process.cwd()] });
    globalThis.NCALayerClient = require(path).NCALayerClient;
  }
  for (;;) {
    const expression = await (await fetch(base + '/next')).text();
    if (!expression) return;
    let answer;
    try {
      answer = { value: await (0, eval)('(async () => (' + expression + '))()') };
    } catch (error) {
      answer = { error: String(error), canceled: error.canceledByUser === true };
    }
    await fetch(base + '/done', { method: 'POST', body: JSON.stringify(answer) });
  }
})();
