package desktop

import (
	"bufio"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/godbus/dbus/v5"
)

func TestMediaPaths(t *testing.T) {
	for path, want := range map[string]bool{"/media/asel/KEYS": true, "/run/media/asel/a b": true, "/": false, "/mnt/x": false, "/media": false, "/home/media/x": false} {
		if plugged(path) != want {
			t.Errorf("%s: %v", path, !want)
		}
	}
	if got := unescape(`/media/asel/MY\040KEYS`); got != "/media/asel/MY KEYS" {
		t.Error(got)
	}
	if slices.Contains(Media(), "/") {
		t.Error("the system's own disk counts as plugged in")
	}
}

// shell is the part of a desktop that shows trays and notices.
type shell struct{ said, items chan string }

func (s shell) RegisterStatusNotifierItem(sender dbus.Sender, _ string) *dbus.Error {
	s.items <- string(sender)
	return nil
}

func (s shell) Notify(_ string, _ uint32, _, title, text string, _ []string, _ map[string]dbus.Variant, _ int32) (uint32, *dbus.Error) {
	s.said <- title + ": " + text
	return 1, nil
}

// TestOnTheBus shows notices and a tray to a desktop that is only a bus, presses the mark and quits.
func TestOnTheBus(t *testing.T) {
	daemon, err := exec.LookPath("dbus-daemon")
	if err != nil {
		t.Skip("no dbus-daemon on this machine: the tray was not shown")
	}
	bus := exec.CommandContext(t.Context(), daemon, "--session", "--nofork", "--nopidfile", "--print-address")
	out, err := bus.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := bus.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = bus.Process.Kill(); _ = bus.Wait() })
	address, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("DBUS_SESSION_BUS_ADDRESS", strings.TrimSpace(address))
	conn, err := dbus.Connect(strings.TrimSpace(address))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	s := shell{make(chan string, 4), make(chan string, 4)}
	for name, path := range map[string]dbus.ObjectPath{"org.kde.StatusNotifierWatcher": "/StatusNotifierWatcher", "org.freedesktop.Notifications": "/org/freedesktop/Notifications"} {
		if err := conn.Export(s, path, name); err != nil {
			t.Fatal(err)
		}
		if _, err := conn.RequestName(name, dbus.NameFlagDoNotQueue); err != nil {
			t.Fatal(err)
		}
	}
	next := func(c chan string) string {
		t.Helper()
		select {
		case got := <-c:
			return got
		case <-time.After(20 * time.Second):
			t.Fatal("the desktop heard nothing")
		}
		return ""
	}
	if err := Notify("Ключи", "ТОО «Алма»: до 05.12.2026"); err != nil {
		t.Fatal(err)
	}
	if got := next(s.said); got != "Ключи: ТОО «Алма»: до 05.12.2026" {
		t.Error(got)
	}
	opened := make(chan string, 1)
	tray := ShowTray(Labels{Tooltip: "Senim", Open: "Открыть", Quit: "Остановить", OnOpen: func() { opened <- "open" }, OnQuit: func() {}})
	item := conn.Object(next(s.items), "/StatusNotifierItem")
	tray.Warn("Заканчиваются ключи")
	tip, err := item.GetProperty("org.kde.StatusNotifierItem.ToolTip")
	if err != nil || !strings.Contains(tip.String(), "Заканчиваются ключи") {
		t.Errorf("%v %v", tip, err)
	}
	if call := item.Call("org.kde.StatusNotifierItem.Activate", 0, int32(0), int32(0)); call.Err != nil {
		t.Fatal(call.Err)
	}
	next(opened)
	tray.Stop()
}
