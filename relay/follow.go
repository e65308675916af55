package relay

import "context"

// Follower is a Reader for who just waits for what comes next: a download, the archiver.
type Follower struct {
	*Reader
	bell chan struct{}
}

// Follow returns a Follower that begins at offset from, FromLive or FromBirth. Close it.
func (st *Stream) Follow(from int64) *Follower {
	f := &Follower{bell: make(chan struct{}, 1)}
	f.Reader = st.NewReader(from, func() {
		select {
		case f.bell <- struct{}{}:
		default:
		}
	})
	return f
}

// Next returns what follows and waits for it as long as ctx lives. Its errors are those of Reader.Next but ErrLater and
// ErrWait.
func (f *Follower) Next(ctx context.Context) (Item, error) {
	for {
		item, err := f.Reader.Next(ctx, true)
		if err != ErrLater {
			return item, err
		}
		if err := f.Wait(ctx); err != nil {
			return Item{}, err
		}
	}
}

// Wait returns when there may be something new: bytes, the end, or another state after it.
func (f *Follower) Wait(ctx context.Context) error {
	select {
	case <-f.bell:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
