package notice

import (
	"html/template"
	"strings"
)

// part is one language of a letter.
type part struct {
	Lang, Hello, Footer string
	Body                []piece
	plain               string
}

// piece is a run of text, or a link.
type piece struct {
	Run
	Line bool // begins a new line
}

// pieces splits text at its links and lines.
func pieces(s string) []piece {
	var all []piece
	for i, line := range strings.Split(s, "\n") {
		for n, r := range Runs(line) {
			all = append(all, piece{Run: r, Line: i > 0 && n == 0})
		}
	}
	return all
}

func plain(parts []part) string {
	var b strings.Builder
	for i, p := range parts {
		if i > 0 {
			b.WriteString("\n* * *\n\n")
		}
		b.WriteString(p.Hello + "\n\n" + p.plain + "\n\n--\n" + p.Footer + "\n")
	}
	return b.String()
}

var html = template.Must(template.New("letter").Parse(`<!DOCTYPE html>
<html lang="{{.Lang}}"><head><meta charset="utf-8"><title>{{.Subject}}</title></head>
<body style="font-family:Arial,sans-serif;font-size:16px;line-height:1.5;color:#0b0c0c;max-width:40em;margin:1em auto;padding:0 1em">
{{range $i, $p := .Parts}}{{if $i}}<hr>
{{end}}<div lang="{{.Lang}}"><p>{{.Hello}}</p>
<p>{{range .Body}}{{if .Line}}<br>
{{end}}{{if .Link}}<a href="{{.Link}}">{{.Text}}</a>{{else}}{{.Text}}{{end}}{{end}}</p>
<p style="color:#505a5f;font-size:14px">{{.Footer}}</p></div>
{{end}}</body></html>
`))
