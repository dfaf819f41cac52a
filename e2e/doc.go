// Package e2e walks Senim in a real browser: the server and the agent run as separate processes,
// headless Chromium opens the public pages, and the person's choices are made in the agent's own
// window. It has no code but tests; SENIM_SHOTS=DIR keeps pictures of the pages.
package e2e
