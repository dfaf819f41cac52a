package main

import (
	"fmt"
	"strings"
)

// bash writes the script for bash 4 and newer. It needs no other package.
func bash(all []verb) string {
	var b strings.Builder
	b.WriteString(`# bash completion of senim
_senim() {
	local cur=${COMP_WORDS[COMP_CWORD]} flag=${COMP_WORDS[COMP_CWORD-1]} verb= word i
	[[ $cur == = ]] && cur=
	[[ $flag == = && $COMP_CWORD -gt 1 ]] && flag=${COMP_WORDS[COMP_CWORD-2]}
	for ((i = 1; i < COMP_CWORD; i++)); do
		word=${COMP_WORDS[i]}
		case "$verb $word" in
`)
	for _, v := range all[1:] {
		above := strings.Join(v.path[:len(v.path)-1], " ")
		fmt.Fprintf(&b, "\t\t\"%s %s\") verb=\"%s\" ;;\n", above, v.path[len(v.path)-1], v.name())
	}
	b.WriteString("\t\tesac\n\tdone\n\tCOMPREPLY=()\n\tcase \"$verb $flag\" in\n")
	for _, v := range all {
		for _, o := range v.flags {
			if !o.value {
				continue
			}
			pattern := fmt.Sprintf("%q", v.name()+" --"+o.long)
			if o.short != "" {
				pattern += fmt.Sprintf(" | %q", v.name()+" -"+o.short)
			}
			fmt.Fprintf(&b, "\t%s) %s; return ;;\n", pattern, bashValue(o))
		}
	}
	b.WriteString("\tesac\n\tcase \"$verb\" in\n")
	for _, v := range all {
		var flags []string
		for _, o := range v.flags {
			flags = append(flags, "--"+o.long)
		}
		otherwise := "_senim_paths -f"
		if list := append(append([]string(nil), v.verbs...), v.words...); len(list) > 0 {
			otherwise = fmt.Sprintf("_senim_words %q", strings.Join(list, " "))
		}
		fmt.Fprintf(&b, "\t%q) if [[ $cur == -* ]]; then _senim_words %q; else %s; fi ;;\n", v.name(), strings.Join(flags, " "), otherwise)
	}
	b.WriteString(`	esac
}
_senim_words() { mapfile -t COMPREPLY < <(compgen -W "$1" -- "$cur"); }
_senim_paths() {
	compopt -o filenames 2>/dev/null
	mapfile -t COMPREPLY < <(compgen "$1" -- "$cur")
}
complete -F _senim senim
`)
	return b.String()
}

func bashValue(o option) string {
	switch {
	case len(o.words) > 0:
		return fmt.Sprintf("_senim_words %q", strings.Join(o.words, " "))
	case o.folder:
		return "_senim_paths -d"
	case o.file:
		return "_senim_paths -f"
	}
	return ":"
}

// zsh writes the script for zsh with its own completion system.
func zsh(all []verb) string {
	var b strings.Builder
	b.WriteString("#compdef senim\n# zsh completion of senim\n")
	for _, v := range all {
		fmt.Fprintf(&b, "%s() {\n", zshFunction(v))
		if len(v.verbs) == 0 {
			b.WriteString("\t_arguments -S")
			zshFlags(&b, v)
			rest := "_files"
			if len(v.words) > 0 {
				rest = "(" + strings.Join(v.words, " ") + ")"
			}
			fmt.Fprintf(&b, " \\\n\t\t'*: :%s'\n}\n", rest)
			continue
		}
		b.WriteString("\tlocal line state\n\t_arguments -C")
		zshFlags(&b, v)
		b.WriteString(" \\\n\t\t'1: :->verb' '*:: :->rest'\n\tcase $state in\n\tverb)\n\t\tlocal -a verbs=(\n")
		for _, name := range v.verbs {
			fmt.Fprintf(&b, "\t\t\t'%s:%s'\n", name, brief(below(all, v, name).help))
		}
		b.WriteString("\t\t)\n\t\t_describe command verbs ;;\n\trest)\n\t\tcase $line[1] in\n")
		for _, name := range v.verbs {
			fmt.Fprintf(&b, "\t\t%s) %s ;;\n", name, zshFunction(below(all, v, name)))
		}
		b.WriteString("\t\tesac ;;\n\tesac\n}\n")
	}
	b.WriteString("if [[ $funcstack[1] == _senim ]]; then _senim \"$@\"; else compdef _senim senim; fi\n")
	return b.String()
}

func zshFunction(v verb) string { return strings.Join(append([]string{"_senim"}, v.path...), "_") }

func zshFlags(b *strings.Builder, v verb) {
	for _, o := range v.flags {
		value := ""
		switch {
		case !o.value:
		case len(o.words) > 0:
			value = ":value:(" + strings.Join(o.words, " ") + ")"
		case o.folder:
			value = ":folder:_files -/"
		case o.file:
			value = ":file:_files"
		default:
			value = ":value: "
		}
		help := strings.ReplaceAll(brief(o.help), ":", " ")
		long := "--" + o.long
		if o.value {
			long += "="
		}
		fmt.Fprintf(b, " \\\n\t\t'*%s[%s]%s'", long, help, value)
		if o.short != "" {
			fmt.Fprintf(b, " \\\n\t\t'*-%s[%s]%s'", o.short, help, value)
		}
	}
}

// fish writes the script for fish.
func fish(all []verb) string {
	var b strings.Builder
	b.WriteString("# fish completion of senim\ncomplete -c senim -f\n")
	for _, v := range all {
		when := fishCondition(v)
		for _, name := range v.verbs {
			fmt.Fprintf(&b, "complete -c senim -n '%s' -a %s -d '%s'\n", when, name, brief(below(all, v, name).help))
		}
		if len(v.words) > 0 {
			fmt.Fprintf(&b, "complete -c senim -n '%s' -a '%s'\n", when, strings.Join(v.words, " "))
		} else if len(v.verbs) == 0 {
			fmt.Fprintf(&b, "complete -c senim -n '%s' -F\n", when)
		}
		for _, o := range v.flags {
			fmt.Fprintf(&b, "complete -c senim -n '%s' -l %s", when, o.long)
			if o.short != "" {
				fmt.Fprintf(&b, " -s %s", o.short)
			}
			switch {
			case !o.value:
			case len(o.words) > 0:
				fmt.Fprintf(&b, " -x -a '%s'", strings.Join(o.words, " "))
			case o.folder:
				b.WriteString(" -x -a '(__fish_complete_directories)'")
			case o.file:
				b.WriteString(" -r -F")
			default:
				b.WriteString(" -x")
			}
			fmt.Fprintf(&b, " -d '%s'\n", brief(o.help))
		}
	}
	return b.String()
}

// fishCondition holds when exactly this command was written.
func fishCondition(v verb) string {
	var parts []string
	for _, name := range v.path {
		parts = append(parts, "__fish_seen_subcommand_from "+name)
	}
	if len(v.verbs) > 0 {
		parts = append(parts, "not __fish_seen_subcommand_from "+strings.Join(v.verbs, " "))
	}
	return strings.Join(parts, "; and ")
}
