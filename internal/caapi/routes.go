package caapi

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"reflect"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"senim/internal/caapi/client"
)

const about = `Certificates of the national PKI's profiles, issued, renewed, revoked, suspended and released by other programs.

Every call but those for health and description proves who calls: by a key (Authorization: Bearer ID.SECRET), by the client
certificate of the TLS connection, or by both, as the client was registered. Each client has rights, and may be bound to
profiles, networks and a rate.

Every POST carries Idempotency-Key. The same key with the same request has one effect and one answer, for 30 days, however
often it arrives; the answer given again says Idempotent-Replayed: true. For issuing and renewing the key is the name of
the order, and the same order never gives a second certificate, for ever. When no answer came, or one of status 5xx or 429,
send the same request again.

Refusals are problems (RFC 9457): branch on code.`

// Describe returns the description of the API in OpenAPI 3.1, as YAML.
func Describe() ([]byte, error) {
	api, err := newServer(Config{}).routes()
	if err != nil {
		return nil, err
	}
	return api.YAML()
}

// routes registers everything, and returns the description.
func (s *Server) routes() (*huma.OpenAPI, error) {
	config := huma.DefaultConfig("Senim: the authority's API", "1")
	config.CreateHooks = nil // no $schema fields in answers
	config.DocsPath, config.SchemasPath, config.OpenAPIPath = "", "", ""
	config.Formats = maps.Clone(config.Formats)
	config.RejectUnknownQueryParameters = true
	config.Transformers = []huma.Transformer{translate}
	config.Info.Description = about
	config.Components.SecuritySchemes = map[string]*huma.SecurityScheme{
		"key":  {Type: "http", Scheme: "bearer", Description: "The key that senim ca client add printed."},
		"mtls": {Type: "mutualTLS", Description: "The certificate the client was registered with."},
	}
	api := humago.New(guarded{s}, config)
	s.certificateRoutes(api)
	s.authorityRoutes(api)
	return api.OpenAPI(), s.describe(api.OpenAPI())
}

// operation describes a route with what all have in common.
func operation(api huma.API, method, path, id, tag, summary, description string) huma.Operation {
	rt, _ := routeOf(method + " " + Prefix + path)
	o := huma.Operation{Method: method, Path: Prefix + path, OperationID: id, Tags: []string{tag}, Summary: summary, Description: description,
		MaxBodyBytes: rt.body, Responses: map[string]*huma.Response{
			"default": {Description: "A problem", Content: map[string]*huma.MediaType{"application/problem+json": {Schema: schema[client.Problem](api)}}},
		}}
	if !rt.public {
		o.Security = []map[string][]string{{"key": {}}, {"mtls": {}}, {"key": {}, "mtls": {}}}
		o.Description += "\n\nNeeds the right " + string(rt.right) + "."
	}
	return o
}

func schema[T any](api huma.API) *huma.Schema {
	return api.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[T](), true, "")
}

// binary describes an answer of other types than JSON.
func binary(o huma.Operation, description string, types ...string) huma.Operation {
	content := map[string]*huma.MediaType{}
	for _, t := range types {
		content[t] = &huma.MediaType{Schema: &huma.Schema{Type: huma.TypeString, Format: "binary"}}
	}
	o.Responses["200"] = &huma.Response{Description: description, Content: content}
	return o
}

// describe serves the description itself, and a page for people.
func (s *Server) describe(api *huma.OpenAPI) error {
	yaml, err := api.YAML()
	if err != nil {
		return fmt.Errorf("describe the API: %w", err)
	}
	text, err := json.Marshal(api)
	if err != nil {
		return fmt.Errorf("describe the API: %w", err)
	}
	page, err := documentation(api)
	if err != nil {
		return fmt.Errorf("describe the API: %w", err)
	}
	for path, file := range map[string]struct {
		kind string
		body []byte
	}{"/openapi.yaml": {"application/openapi+yaml", yaml}, "/openapi.json": {"application/openapi+json", text}, "/docs": {"text/html; charset=utf-8", page}} {
		guarded{s}.HandleFunc("GET "+Prefix+path, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", file.kind)
			_, _ = w.Write(file.body) // the caller is gone, or reads it
		})
	}
	return nil
}
