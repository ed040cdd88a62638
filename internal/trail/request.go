package trail

import "context"

type requestKey struct{}

// WithRequest lets everything that is done for one request name it in the log.
func WithRequest(ctx context.Context, id string) context.Context {
	return context.WithValue(ctx, requestKey{}, id)
}

// Request is the request that ctx belongs to, "" if none.
func Request(ctx context.Context) string {
	id, _ := ctx.Value(requestKey{}).(string)
	return id
}
