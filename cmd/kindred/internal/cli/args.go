package cli

import "context"

type argsKey struct{}

// WithArgs keeps the command line for commands that read their settings again.
func WithArgs(ctx context.Context, args []string) context.Context {
	return context.WithValue(ctx, argsKey{}, args)
}

// Args returns the command line, without the name of the program.
func Args(ctx context.Context) []string {
	args, _ := ctx.Value(argsKey{}).([]string)
	return args
}
