package caapi

import (
	"bytes"
	"html/template"
	"maps"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

// documentation is the description as a page for people: no script, no style, nothing fetched.
func documentation(api *huma.OpenAPI) ([]byte, error) {
	type field struct {
		Name, Type, Doc, Example string
		Required                 bool
	}
	type entry struct {
		Method, Path, Summary string
		Text                  []string
		Fields                []field
	}
	var page struct {
		Title   string
		About   []string
		Entries []entry
	}
	paragraphs := func(s string) []string { return strings.Split(s, "\n\n") }
	page.Title, page.About = api.Info.Title, paragraphs(api.Info.Description)
	for _, path := range slices.Sorted(maps.Keys(api.Paths)) {
		for _, o := range []*huma.Operation{api.Paths[path].Get, api.Paths[path].Post} {
			if o == nil {
				continue
			}
			e := entry{Method: o.Method, Path: path, Summary: o.Summary, Text: paragraphs(o.Description)}
			for _, p := range o.Parameters {
				e.Fields = append(e.Fields, field{Name: p.Name, Type: p.In, Doc: p.Description, Example: text(p.Example), Required: p.Required})
			}
			if o.RequestBody != nil {
				body := api.Components.Schemas.SchemaFromRef(o.RequestBody.Content["application/json"].Schema.Ref)
				for _, name := range slices.Sorted(maps.Keys(body.Properties)) {
					f := body.Properties[name]
					example := ""
					if len(f.Examples) > 0 {
						example = text(f.Examples[0])
					}
					e.Fields = append(e.Fields, field{name, "body", f.Description, example, slices.Contains(body.Required, name)})
				}
			}
			page.Entries = append(page.Entries, e)
		}
	}
	var b bytes.Buffer
	err := sheet.Execute(&b, page)
	return b.Bytes(), err
}

func text(v any) string {
	s, _ := v.(string)
	return s
}

var sheet = template.Must(template.New("docs").Parse(`<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>{{.Title}}</title></head>
<body>
<h1>{{.Title}}</h1>
{{range .About}}<p>{{.}}</p>
{{end}}<p>The same for machines: <a href="openapi.yaml">openapi.yaml</a>, <a href="openapi.json">openapi.json</a>.</p>
{{range .Entries}}<h2>{{.Method}} {{.Path}}</h2>
<p><b>{{.Summary}}.</b></p>
{{range .Text}}<p>{{.}}</p>
{{end}}{{if .Fields}}<table>
<tr><th scope="col">Name</th><th scope="col">In</th><th scope="col">Wanted</th><th scope="col">Meaning</th><th scope="col">Example</th></tr>
{{range .Fields}}<tr><td><code>{{.Name}}</code></td><td>{{.Type}}</td><td>{{if .Required}}yes{{end}}</td><td>{{.Doc}}</td><td><code>{{.Example}}</code></td></tr>
{{end}}</table>
{{end}}{{end}}</body>
</html>
`))
