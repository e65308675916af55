package archive

import (
	"cmp"
	"context"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"sluice/relay"
	"sluice/storage"
)

const (
	defaultAtOnce = 8

	firstPause = time.Second // before a failed stream is tried again; doubled each time
	longPause  = time.Minute

	damagePause = time.Hour // before a stream is read again that the spool has damaged
	sweepEvery  = time.Hour
)

// Archive keeps streams in a store. Set its fields before it is used, and Close it in the end, before the hub. It
// implements relay.Archive.
type Archive struct {
	Store  storage.Store
	Logger *slog.Logger // nil: slog.Default()
	AtOnce int          // how many streams are written to the store at the same time; 0: 8

	once sync.Once
	life context.Context // of all that it starts, until Close has waited long enough
	end  context.CancelFunc
	rest context.CancelFunc // ends what need not be finished
	born string             // sorts before the ids of streams that began after it
	memo *memo

	work sync.WaitGroup

	mu       sync.Mutex
	jobs     map[string]*job // by stream; guarded by mu, as is all below
	queue    []*job
	workers  int
	closed   bool
	archived int64
	failures int64
}

var _ relay.Archive = (*Archive)(nil)

// job is a stream on its way to the store. Its fields are guarded by Archive.mu, but for those of the worker.
type job struct {
	stream *relay.Stream
	timer  *time.Timer        // until it is tried again
	cancel context.CancelFunc // while a worker has it
	done   chan struct{}      // closed when the worker is done with it
	gone   bool               // the stream was deleted

	failures int  // in a row
	damaged  bool // the last one was the spool's
	stored   bool // its content is in the store; owned by the worker
}

// Stats tells what the archive does.
type Stats struct {
	Waiting  int   // streams in the queue, or to be tried again
	Running  int   // streams being written
	Archived int64 // streams since the start
	Failures int64 // attempts that failed since the start
}

// Stats tells what the archive does now.
func (a *Archive) Stats() Stats {
	a.mu.Lock()
	defer a.mu.Unlock()
	running := 0
	for _, j := range a.jobs {
		if j.cancel != nil {
			running++
		}
	}
	return Stats{Waiting: len(a.jobs) - running, Running: running, Archived: a.archived, Failures: a.failures}
}

func (a *Archive) log() *slog.Logger { return cmp.Or(a.Logger, slog.Default()) }

// begin makes the zero value work.
func (a *Archive) begin() {
	a.once.Do(func() {
		a.life, a.end = context.WithCancel(context.Background())
		a.jobs = make(map[string]*job)
		a.memo = newMemo()
		a.born = firstID(time.Now())
		var rest context.Context
		rest, a.rest = context.WithCancel(a.life)
		if sweeper, ok := a.Store.(storage.Sweeper); ok {
			a.work.Go(func() { a.sweep(rest, sweeper) })
		}
	})
}

// Keep implements relay.Archive. A stream that has not ended, or is kept already, is left as it is.
func (a *Archive) Keep(st *relay.Stream) {
	a.begin()
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.closed || a.jobs[st.ID()] != nil || st.Info().State != relay.Ended {
		return
	}
	j := &job{stream: st}
	a.jobs[st.ID()] = j
	a.enqueue(j)
}

// enqueue has j done as soon as a worker is free. The caller holds mu.
func (a *Archive) enqueue(j *job) {
	a.queue = append(a.queue, j)
	if a.workers < cmp.Or(a.AtOnce, defaultAtOnce) {
		a.workers++
		a.work.Go(a.worker)
	}
}

// worker does jobs until there are none left.
func (a *Archive) worker() {
	for {
		j, ctx := a.take()
		if j == nil {
			return
		}
		err := a.archive(ctx, j)
		a.finish(j, err)
	}
}

// take gives a worker its next job; nil when it may go.
func (a *Archive) take() (*job, context.Context) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for len(a.queue) > 0 && !a.closed {
		j := a.queue[0]
		a.queue = a.queue[1:]
		if j.gone {
			continue
		}
		var ctx context.Context
		ctx, j.cancel = context.WithCancel(a.life)
		j.done = make(chan struct{})
		return j, ctx
	}
	a.workers--
	return nil, nil
}

// finish takes j back from a worker.
func (a *Archive) finish(j *job, err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	j.cancel()
	j.cancel = nil
	close(j.done)
	switch {
	case err == nil:
		delete(a.jobs, j.stream.ID())
		a.archived++
		a.hurry()
	case j.gone, j.stream.Info().State != relay.Ended:
		delete(a.jobs, j.stream.ID())
	case !a.closed:
		a.failures++
		a.tryLater(j, err)
	}
}

// tryLater puts j aside for a while: longer each time, and by chance, so that not all come back together. Where it is
// not the store that must recover, the wait is long.
func (a *Archive) tryLater(j *job, err error) {
	j.failures++
	longest := min(firstPause<<min(j.failures-1, 16), longPause)
	pause := longest/2 + rand.N(longest/2)
	level := slog.LevelWarn
	if j.damaged = isDamage(err); j.damaged {
		pause, level = damagePause, slog.LevelError
	}
	a.log().Log(context.Background(), level, "archiving failed", "room", j.stream.Room(), "stream", j.stream.ID(),
		"err", err, "again", pause)
	j.timer = time.AfterFunc(pause, func() {
		a.mu.Lock()
		defer a.mu.Unlock()
		a.again(j)
	})
}

// again enqueues a job that was put aside. The caller holds mu.
func (a *Archive) again(j *job) {
	if j.timer == nil || j.gone || a.closed {
		return
	}
	j.timer.Stop()
	j.timer = nil
	a.enqueue(j)
}

// hurry brings back all that wait for the store, which has just shown that it is there. The caller holds mu.
func (a *Archive) hurry() {
	for _, j := range a.jobs {
		if !j.damaged {
			a.again(j)
		}
	}
}

// drop ends the work on a stream that is deleted, and waits until nothing more is written of it.
func (a *Archive) drop(ctx context.Context, id string) error {
	a.mu.Lock()
	j := a.jobs[id]
	if j == nil {
		a.mu.Unlock()
		return nil
	}
	j.gone = true
	if j.timer != nil {
		j.timer.Stop()
	}
	if j.cancel == nil {
		delete(a.jobs, id)
		a.mu.Unlock()
		return nil
	}
	j.cancel()
	a.mu.Unlock()
	select {
	case <-j.done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Close stops taking streams and waits until those being written are in the store, but no longer than ctx allows. The
// others stay in the spool, from where the next process takes them up.
func (a *Archive) Close(ctx context.Context) error {
	a.begin()
	a.mu.Lock()
	a.closed = true
	for _, j := range a.jobs {
		if j.timer != nil {
			j.timer.Stop()
		}
	}
	a.mu.Unlock()
	a.rest()
	defer a.end()
	defer context.AfterFunc(ctx, a.end)()
	a.work.Wait()
	if left := a.Stats().Waiting; left > 0 {
		a.log().Info("streams wait in the spool to be archived", "streams", left)
	}
	return nil
}

// sweep removes what uploads have left behind, now and from time to time.
func (a *Archive) sweep(ctx context.Context, sweeper storage.Sweeper) {
	hour := time.NewTicker(sweepEvery)
	defer hour.Stop()
	for {
		if _, err := sweeper.Sweep(ctx); err != nil && ctx.Err() == nil {
			a.log().Warn("sweeping the store failed", "err", err)
		}
		select {
		case <-hour.C:
		case <-ctx.Done():
			return
		}
	}
}
