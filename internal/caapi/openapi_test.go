package caapi_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"net/http"
	"os"
	"strings"
	"testing"

	"senim/algid"
	"senim/internal/caapi"
)

var update = flag.Bool("update", false, "write doc/openapi/ca.yaml")

const kept = "../../doc/openapi/ca.yaml"

// TestDescriptionIsCurrent: doc/openapi/ca.yaml is what the code says; go test ./internal/caapi -update
// writes it.
func TestDescriptionIsCurrent(t *testing.T) {
	t.Parallel()
	now, err := caapi.Describe()
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(kept, now, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	old, err := os.ReadFile(kept)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(old, now) {
		t.Error("doc/openapi/ca.yaml is not what the code says: go test ./internal/caapi -run Current -update")
	}
}

// description is the part of an OpenAPI document that is looked at here.
type description struct {
	OpenAPI string `json:"openapi"`
	Paths   map[string]map[string]struct {
		OperationID string                `json:"operationId"`
		Security    []map[string][]string `json:"security"`
		Responses   map[string]struct {
			Content map[string]json.RawMessage `json:"content"`
		} `json:"responses"`
		Parameters []struct {
			Name, In string
			Required bool
			Example  any
			Schema   map[string]any
		} `json:"parameters"`
		RequestBody struct {
			Content map[string]struct {
				Schema struct {
					Ref string `json:"$ref"`
				} `json:"schema"`
			} `json:"content"`
		} `json:"requestBody"`
	} `json:"paths"`
	Components struct {
		Schemas map[string]struct {
			Properties map[string]struct {
				Type     any               `json:"type"`
				Ref      string            `json:"$ref"`
				Examples []json.RawMessage `json:"examples"`
			} `json:"properties"`
			Required             []string `json:"required"`
			AdditionalProperties any      `json:"additionalProperties"`
		} `json:"schemas"`
	} `json:"components"`
}

// TestDescriptionAndRoutes: every operation that is described is served and asks for a client, every
// change asks for its idempotency key, every problem is described, and the examples of the bodies are
// taken by the server's own validation.
func TestDescriptionAndRoutes(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil, algid.GOST512)
	a := s.do(t, "GET", "/ca/v1/openapi.json", "", nil)
	var d description
	if err := json.Unmarshal(a.body, &d); err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(d.OpenAPI, "3.1") {
		t.Errorf("OpenAPI %s", d.OpenAPI)
	}
	key, err := s.gate.Add(t.Context(), everything("docs"), true, "tester")
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for path, operations := range d.Paths {
		for method, o := range operations {
			n++
			method = strings.ToUpper(method)
			where := strings.NewReplacer("{serial}", strings.Repeat("0", 40), "{name}", "gost").Replace(path)
			stranger := s.do(t, method, where, "", nil)
			public := path == "/ca/v1/health"
			if public != (len(o.Security) == 0) || public && stranger.StatusCode != http.StatusOK || !public && stranger.StatusCode != http.StatusUnauthorized {
				t.Errorf("%s %s: described with %d ways to prove, a stranger gets %s", method, path, len(o.Security), stranger.Status)
			}
			if _, ok := o.Responses["default"].Content["application/problem+json"]; !ok {
				t.Errorf("%s %s: problems are not described", method, path)
			}
			if method != "POST" {
				continue
			}
			asked := false
			for _, p := range o.Parameters {
				asked = asked || p.Name == "Idempotency-Key" && p.In == "header" && p.Required
			}
			if !asked {
				t.Errorf("%s: no Idempotency-Key", path)
			}
			name := strings.TrimPrefix(o.RequestBody.Content["application/json"].Schema.Ref, "#/components/schemas/")
			got := s.do(t, method, where, key, example(t, d, name), "Idempotency-Key", o.OperationID)
			if got.problem.Code == "REQUEST_INVALID" || got.problem.Code == "" && got.StatusCode != http.StatusOK || got.StatusCode >= 500 {
				t.Errorf("%s: the example is refused: %s %s", path, got.Status, got.body)
			}
		}
	}
	if n != 11 {
		t.Errorf("%d operations are described", n)
	}
}

// example builds a body of the examples of its fields; a field without one is an error.
func example(t *testing.T, d description, name string) map[string]any {
	t.Helper()
	schema, ok := d.Components.Schemas[name]
	if !ok || schema.AdditionalProperties != false {
		t.Fatalf("schema %q: found %t, other fields allowed: %v", name, ok, schema.AdditionalProperties)
	}
	out := map[string]any{}
	for field, p := range schema.Properties {
		switch {
		case p.Ref != "":
			out[field] = example(t, d, strings.TrimPrefix(p.Ref, "#/components/schemas/"))
		case len(p.Examples) == 0:
			t.Errorf("%s.%s has no example", name, field)
		default:
			out[field] = p.Examples[0]
		}
	}
	return out
}

// TestDocumentation: a page for people that fetches nothing.
func TestDocumentation(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil, algid.GOST512)
	a := s.do(t, "GET", "/ca/v1/docs", "", nil)
	page := string(a.body)
	for _, want := range []string{"<!doctype html>", "POST /ca/v1/certificates/{serial}/renew", "Idempotency-Key", "openapi.yaml"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page has no %q", want)
		}
	}
	if csp := a.Header.Get("Content-Security-Policy"); !strings.HasPrefix(csp, "default-src 'none'") || strings.Contains(csp, "unsafe") {
		t.Errorf("policy %q", csp)
	}
	for _, no := range []string{"<script", "http://", "https://", "style="} {
		if strings.Contains(page, no) {
			t.Errorf("the page has %q", no)
		}
	}
	if y := s.do(t, "GET", "/ca/v1/openapi.yaml", "", nil); !bytes.HasPrefix(y.body, []byte("components:")) || y.Header.Get("Content-Type") != "application/openapi+yaml" {
		t.Errorf("yaml: %.40s", y.body)
	}
}
