package agent

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"

	"senim/internal/keystore"
	"senim/internal/lang"
	"senim/internal/ncalayer"
)

// tokenStorages are the storages of tokens, in the order people know them.
func tokenStorages() []string {
	return []string{"AKKaztokenStore", "AKEToken5110Store", "AKEToken72KStore", "AKJaCartaStore", "AKAKEYStore", "AKKZIDCardStore"}
}

// maxDrivers bounds the drivers a person adds.
const maxDrivers = 16

// savedDriver is a driver the person chose.
type savedDriver struct {
	Storage string `json:"storage"`
	Module  string `json:"module"`
}

// tokenDriver is a driver as the agent has it: where it is from, and why it is not used.
type tokenDriver struct {
	keystore.TokenDriver
	kind    string // given (at the start), own (the person's choice), known (found where its maker puts it)
	named   string // the path as it was named; Module is where its links lead
	problem string // "", program, path, away, others, unreadable
}

// drivers lists the drivers of tokens there are now: those the agent was started with, those the person added, and those found
// where their makers' packages put them. One that is not safe to load is listed with the reason and not used.
func (a *Agent) drivers() []tokenDriver {
	var list []tokenDriver
	add := func(d keystore.TokenDriver, kind string) {
		one := tokenDriver{TokenDriver: d, kind: kind, named: d.Module}
		one.Log = a.log
		if kind != "given" {
			one.Program = a.config.TokenProgram
			at, err := keystore.CheckDriver(d.Module, kind == "own")
			if kind == "known" && errors.Is(err, keystore.ErrDriverAway) {
				return // most machines have none of them
			}
			if one.problem = driverProblem(err); one.problem == "" {
				one.Module = at
			}
		}
		if _, err := os.Stat(one.Program); err != nil && one.problem == "" && kind != "given" { // at the start it was there
			one.problem = "program"
		}
		if !slices.ContainsFunc(list, func(o tokenDriver) bool {
			return o.Module == one.Module && keystore.SameStorage(o.Storage, one.Storage)
		}) {
			list = append(list, one)
		}
	}
	for _, d := range a.config.Tokens {
		add(d, "given")
	}
	for _, d := range a.settings.get().Drivers {
		add(keystore.TokenDriver{Storage: d.Storage, Module: d.Module}, "own")
	}
	for _, d := range a.config.KnownDrivers {
		add(d, "known")
	}
	return list
}

// driverProblem is the code of why a file is not loaded as a driver; "" when it is.
func driverProblem(err error) string {
	switch {
	case err == nil:
		return ""
	case errors.Is(err, keystore.ErrDriverPath):
		return "path"
	case errors.Is(err, keystore.ErrDriverAway):
		return "away"
	case errors.Is(err, keystore.ErrDriverOthers):
		return "others"
	}
	return "unreadable"
}

// usable are the drivers that are loaded.
func (a *Agent) usable() []keystore.TokenDriver {
	var list []keystore.TokenDriver
	for _, d := range a.drivers() {
		if d.problem == "" {
			list = append(list, d.TokenDriver)
		}
	}
	return list
}

// DriverRow is a driver on the agent's page.
type DriverRow struct {
	Storage string `json:"storage"`
	Name    string `json:"name"` // of the storage, in words
	Path    string `json:"path"`
	Kind    string `json:"kind"`              // given, own (can be taken away), known
	Text    string `json:"text"`              // where it is from, and what it sees
	Problem string `json:"problem,omitempty"` // why it is not used, in words
}

// driverRows shows the drivers with what they saw last.
func (a *Agent) driverRows(seen keystore.Seen, tag lang.Tag) []DriverRow {
	rows := []DriverRow{}
	for _, d := range a.drivers() {
		r := DriverRow{Storage: d.Storage, Name: tag.Text("home.token." + d.Storage), Path: d.named, Kind: d.kind, Text: tag.Text("home.driver." + d.kind)}
		problem, there := d.problem, ""
		for _, t := range seen.Tokens {
			if t.Of(d.TokenDriver) && t.Label != "" {
				if there != "" {
					there += ", "
				}
				there += t.Label
			}
		}
		if problem == "" && failedDriver(seen, d) {
			problem = "failed"
		}
		switch {
		case problem != "":
			r.Problem = tag.Text("home.driver.problem." + problem)
		case there != "":
			r.Text += ". " + tag.Text("home.driver.plugged", "tokens", there)
		default:
			r.Text += ". " + tag.Text("home.driver.none")
		}
		rows = append(rows, r)
	}
	return rows
}

// failedDriver tells whether a look could not be had from a driver.
func failedDriver(seen keystore.Seen, d tokenDriver) bool {
	return slices.ContainsFunc(seen.Failed, func(f keystore.TokenDriver) bool { return f.Storage == d.Storage && f.Module == d.Module })
}

// driver adds a driver of the person's choice, who was told that it is a program; remove takes one away.
func (h *home) driver(storage, path string, sure, remove bool) (code, field string) {
	a := h.agent
	if remove {
		if a.settings.change(func(c *saved) {
			c.Drivers = slices.DeleteFunc(c.Drivers, func(d savedDriver) bool { return d.Storage == storage && d.Module == path })
		}) != nil {
			return "not_written", ""
		}
		a.onTokens()
		return "", ""
	}
	if _, token := ncalayer.Storage(storage); !token {
		return "bad_request", ""
	}
	if !sure {
		return "driver_sure", "driver-sure"
	}
	path = filepath.Clean(path)
	if _, err := keystore.CheckDriver(path, true); err != nil {
		return "driver_" + driverProblem(err), "driver"
	}
	if len(a.settings.get().Drivers) >= maxDrivers {
		return "driver_many", "driver"
	}
	// What does not load is not kept: the person learns now that it is another file, or for another machine.
	seen := keystore.ScanTokens([]keystore.TokenDriver{{Storage: storage, Module: path, Program: a.config.TokenProgram, Log: a.log}})
	if seen.Err != nil {
		a.log.Warn("a driver was not added", "storage", storage, "err", seen.Err)
		if _, err := os.Stat(a.config.TokenProgram); err != nil {
			return "driver_program", "driver"
		}
		return "driver_failed", "driver"
	}
	full := false
	err := a.settings.change(func(c *saved) {
		d := savedDriver{storage, path}
		if slices.Contains(c.Drivers, d) {
			return
		}
		if full = len(c.Drivers) >= maxDrivers; !full { // another call may have added one meanwhile
			c.Drivers = append(c.Drivers, d)
		}
	})
	switch {
	case err != nil:
		return "not_written", ""
	case full:
		return "driver_many", "driver"
	}
	a.onTokens()
	return "", ""
}

// driverFolder is where the chooser of drivers begins, and the end of their names.
func driverFolder(system string) (folder, suffix string) {
	switch system {
	case "windows":
		return `C:\Windows\System32`, ".dll"
	case "darwin":
		return "/usr/local/lib", ""
	}
	return "/usr/lib", ""
}

// files lists a folder for the chooser of drivers.
func (h *home) files(folder string) *Listing {
	usual, suffix := driverFolder(runtime.GOOS)
	if folder == "" {
		folder = usual
	}
	list := h.agent.list(folder, &choosing{suffix: suffix}, h.tag())
	if list != nil && !slices.Contains(list.Places, usual) {
		list.Places = append(list.Places, usual)
	}
	return list
}

// CheckTokenFlag tells what is wrong with a driver the agent is to be started with.
func CheckTokenFlag(storage, module string) error {
	if _, token := ncalayer.Storage(storage); !token || !filepath.IsAbs(module) {
		return fmt.Errorf("%s=%s: STORAGE=DRIVER is expected, with the full path of the driver, as AKKaztokenStore=/usr/lib/driver.so", storage, module)
	}
	return nil
}
