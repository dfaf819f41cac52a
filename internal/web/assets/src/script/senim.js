// The one script of Senim's sites. Pages work without it except where a signature is made.
import { Button } from 'govuk-frontend/dist/govuk/components/button/button.mjs';
import { ErrorSummary } from 'govuk-frontend/dist/govuk/components/error-summary/error-summary.mjs';
import { SkipLink } from 'govuk-frontend/dist/govuk/components/skip-link/skip-link.mjs';
import { createAll } from 'govuk-frontend/dist/govuk/init.mjs';
import { agentForms } from './agent.js';
import { copyButtons } from './copy.js';
import { followFragment } from './fragment.js';
import { unfoldMenu } from './menu.js';
import { passkeyForms } from './passkey.js';
import { phoneForms } from './phone.js';

if ('noModule' in HTMLScriptElement.prototype) {
  document.body.classList.add('js-enabled', 'govuk-frontend-supported');
}
createAll(Button);
createAll(ErrorSummary);
createAll(SkipLink);
agentForms(document);
copyButtons(document);
phoneForms(document);
passkeyForms(document);
followFragment(document);
unfoldMenu(document);
