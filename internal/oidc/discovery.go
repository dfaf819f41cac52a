package oidc

import (
	"net/http"

	"senim/internal/relying"
)

// discovery is what a service's library reads first.
func (p *Provider) discovery(w http.ResponseWriter, _ *http.Request) {
	at := func(path string) string { return p.c.Origin + path }
	w.Header().Set("Cache-Control", "public, max-age=3600")
	auths := []relying.Auth{relying.AuthSecret, relying.AuthJWT, relying.AuthNone}
	writeJSON(w, http.StatusOK, map[string]any{
		"issuer":                                           p.c.Origin,
		"authorization_endpoint":                           at(pathAuthorize),
		"token_endpoint":                                   at(pathToken),
		"userinfo_endpoint":                                at(pathUserinfo),
		"revocation_endpoint":                              at(pathRevoke),
		"end_session_endpoint":                             at(pathEnd),
		"jwks_uri":                                         at(pathKeys),
		"response_types_supported":                         []string{"code"},
		"response_modes_supported":                         []string{"query"},
		"grant_types_supported":                            []string{"authorization_code", "refresh_token"},
		"subject_types_supported":                          []string{"pairwise"},
		"id_token_signing_alg_values_supported":            []string{"RS256"},
		"token_endpoint_auth_methods_supported":            auths,
		"token_endpoint_auth_signing_alg_values_supported": []string{"RS256", "ES256"},
		"revocation_endpoint_auth_methods_supported":       auths,
		"code_challenge_methods_supported":                 []string{"S256"},
		"scopes_supported":                                 relying.Scopes(),
		"acr_values_supported":                             []string{relying.Account.ACR(), relying.Certificate.ACR()},
		"prompt_values_supported":                          prompts(),
		"claims_supported": []string{"sub", "iss", "aud", "exp", "iat", "auth_time", "nonce", "acr", "amr", "name", "locale", "email", "email_verified",
			"iin", "organization", "certificate"},
		"ui_locales_supported":                           []string{"kk", "ru", "en"},
		"claims_parameter_supported":                     false,
		"request_parameter_supported":                    false,
		"request_uri_parameter_supported":                false,
		"authorization_response_iss_parameter_supported": true,
	})
}

// published are the keys that ID tokens are signed with, and the one that will be next.
func (p *Provider) published(w http.ResponseWriter, hr *http.Request) {
	set, err := p.keys.published(hr.Context())
	if err != nil {
		p.c.Log.ErrorContext(hr.Context(), "keys of ID tokens are not told", "err", err)
		http.Error(w, "", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Cache-Control", "public, max-age=3600")
	writeJSON(w, http.StatusOK, set)
}
