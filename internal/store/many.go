package store

import (
	"context"
	"strconv"
	"strings"
)

// chunk is how many keys one statement asks for. Fewer are filled up with the last, so that the text is the
// same and stays prepared.
const chunk = 250

// chunked calls f with the keys, chunk by chunk, each filled up.
func chunked(keys []string, f func(args []any) error) error {
	for len(keys) > 0 {
		n := min(len(keys), chunk)
		args := make([]any, chunk)
		for i := range args {
			args[i] = keys[min(i, n-1)]
		}
		if err := f(args); err != nil {
			return err
		}
		keys = keys[n:]
	}
	return nil
}

// places writes chunk placeholders, from $first on, each inside form's ?.
func places(first int, form string) string {
	all := make([]string, chunk)
	for i := range all {
		all[i] = strings.Replace(form, "?", "$"+strconv.Itoa(first+i), 1)
	}
	return strings.Join(all, ", ")
}

// many lists the rows of all keys: sql has its own parameters in args before the placeholders of [places].
func many[T any](ctx context.Context, t *tx, keys []string, scan func(row) (T, error), sql string, args ...any) (all []T, err error) {
	err = chunked(keys, func(some []any) error {
		found, err := list(ctx, t, scan, sql, append(args[:len(args):len(args)], some...)...)
		all = append(all, found...)
		return err
	})
	return all, err
}
