package agent

import (
	"testing"

	"senim/internal/lang"
)

// TestProgramIsShownAsItIs: the path of a program cannot be made to look like another's.
func TestProgramIsShownAsItIs(t *testing.T) {
	for path, want := range map[string]string{
		"/opt/Бухгалтерия 8/1cv8": "/opt/Бухгалтерия 8/1cv8", "/tmp/a\u202egnp.exe": "/tmp/a\ufffdgnp.exe", "/tmp/a\n/usr/bin/good": "/tmp/a\ufffd/usr/bin/good", "": lang.RU.Text("agent.site.unknown-program"),
	} {
		if got := siteView(site{Class: "program", Program: path}, lang.RU).Origin; got != want {
			t.Errorf("%q is shown as %q", path, got)
		}
	}
}
