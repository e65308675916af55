package archive

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"math"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/oklog/ulid/v2"

	"sluice/relay"
	"sluice/storage"
)

const (
	defaultAtOnce = 8

	firstPause = time.Second // before a failed stream is tried again; doubled each time
	longPause  = time.Minute

	damagePause = time.Hour // before a stream is read again that the spool has damaged

	sweepEvery = time.Hour
	sweepFirst = time.Minute // after the start
)

// Archive keeps streams in a store. Set its fields before it is used, and Close it in the end, before the hub. It
// implements relay.Archive.
type Archive struct {
	Store  storage.Store
	Logger *slog.Logger // nil: slog.Default()
	AtOnce int          // how many streams are written to the store at the same time; 0: 8

	// Rules say how long streams are kept: of those that name a room the one that does so most closely. What no rule names is kept for
	// ever.
	Rules []Rule
	// Expired is told what was deleted by them, by several goroutines; nil: nobody is. It must not wait for long.
	Expired func(room, stream string)

	once sync.Once
	life context.Context // of all that it starts, until Close has waited long enough
	end  context.CancelFunc
	born string // sorts before the ids of streams that began after it
	memo *memo
	due  map[string]time.Time // by day, when something of it may have to go; used by the sweep

	work sync.WaitGroup

	mu       sync.Mutex
	jobs     map[string]*job // by stream; guarded by mu, as is all below
	queue    []*job
	workers  int
	closed   bool
	archived int64
	failures int64
	remains  map[ulid.ULID]bool // content of deleted streams that could not be deleted yet
	rest     context.CancelFunc // ends what need not be finished; nil: it has not begun
}

var _ relay.Archive = (*Archive)(nil)

// job is a stream on its way to the store: in the queue, with a worker, put aside for a while, or grown as far as there is enough of
// the stream. Its fields are guarded by Archive.mu, but for those of the worker.
type job struct {
	stream *relay.Stream
	queued bool
	timer  *time.Timer        // until it is tried again
	cancel context.CancelFunc // while a worker has it
	done   chan struct{}      // closed when the worker is done with it
	more   bool               // there was more to do, or the end, while the worker had it
	gone   bool               // the stream was deleted

	failures int  // in a row
	own      bool // the last one was not the store's being away

	// Owned by the worker; by who takes the job out when there is none.
	giving sync.Mutex     // held while the growth is given up
	growth storage.Growth // of the content; nil: none, or it was cut off
	grown  bool           // the store may have something of the content
	stored bool           // it has all
}

// Stats tells what the archive does.
type Stats struct {
	Growing  int   // open streams of which the store has what there was enough of
	Waiting  int   // streams in the queue, or to be tried again
	Running  int   // streams being written
	Archived int64 // streams since the start
	Failures int64 // attempts that failed since the start
}

// Stats tells what the archive does now.
func (a *Archive) Stats() Stats {
	a.mu.Lock()
	defer a.mu.Unlock()
	s := Stats{Archived: a.archived, Failures: a.failures}
	for _, j := range a.jobs {
		switch {
		case j.cancel != nil:
			s.Running++
		case j.queued, j.timer != nil:
			s.Waiting++
		default:
			s.Growing++
		}
	}
	return s
}

func (a *Archive) log() *slog.Logger { return cmp.Or(a.Logger, slog.Default()) }

// Start has what is done from time to time begin. It is called once, when the hub has taken up what an earlier run has left: what of that
// is on its way to the store is not to be swept away.
func (a *Archive) Start() {
	a.begin()
	rest, cancel := context.WithCancel(a.life)
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.closed {
		cancel()
		return
	}
	a.rest = cancel
	a.work.Go(func() { a.sweep(rest) })
}

// begin makes the zero value work.
func (a *Archive) begin() {
	a.once.Do(func() {
		a.life, a.end = context.WithCancel(context.Background())
		a.jobs = make(map[string]*job)
		a.remains = make(map[ulid.ULID]bool)
		a.memo = newMemo()
		a.born = firstID(time.Now())
		a.due = make(map[string]time.Time)
	})
}

// KeepFrom implements relay.Archive.
func (a *Archive) KeepFrom() int64 {
	if grower, ok := a.Store.(storage.Grower); ok {
		return grower.GrowFrom()
	}
	return math.MaxInt64 // all at once, in the end
}

// Keep implements relay.Archive.
func (a *Archive) Keep(st *relay.Stream) {
	a.begin()
	state := st.Info().State
	a.mu.Lock()
	defer a.mu.Unlock()
	j := a.jobs[st.ID()]
	switch {
	case a.closed:
	case j == nil && (state == relay.Open || state == relay.Ended):
		j = &job{stream: st}
		a.jobs[st.ID()] = j
		a.enqueue(j)
	case j == nil, j.queued, j.timer != nil:
	case j.cancel != nil:
		j.more = true
	default:
		a.enqueue(j)
	}
}

// enqueue has j done as soon as a worker is free. The caller holds mu.
func (a *Archive) enqueue(j *job) {
	j.queued = true
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
		j.queued = false
		if j.gone {
			continue
		}
		var ctx context.Context
		ctx, j.cancel = context.WithCancel(a.life)
		j.done, j.more = make(chan struct{}), false
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
	case j.gone, err == errGivenUp:
		delete(a.jobs, j.stream.ID())
	case a.closed:
	case err == errGrowing, err == errTurn:
		j.failures = 0
		if j.more || err == errTurn {
			a.enqueue(j)
		}
	case j.stream.Info().Over() && !j.stream.Info().Whole():
		a.enqueue(j) // to be given up
	default:
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
	if isDamage(err) {
		pause, level = damagePause, slog.LevelError
	}
	j.own = isOwn(err)
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
		if !j.own {
			a.again(j)
		}
	}
}

// drop ends the work on a stream that is deleted, and waits until nothing more is written of it, and what was is given up.
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
		return a.giveUp(ctx, j)
	}
	j.cancel()
	a.mu.Unlock()
	select {
	case <-j.done:
		return a.giveUp(ctx, j)
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
		switch open := j.stream.Info().State == relay.Open; {
		case j.timer != nil:
			j.timer.Stop()
		case j.cancel != nil && open:
			j.cancel() // the next process goes on with it
		}
	}
	rest := a.rest
	a.mu.Unlock()
	if rest != nil {
		rest()
	}
	defer a.end()
	defer context.AfterFunc(ctx, a.end)()
	a.work.Wait()
	a.leave()
	if left := a.Stats().Waiting; left > 0 {
		a.log().Info("streams wait in the spool to be archived", "streams", left)
	}
	return nil
}

// leave lets the next process go on with what has grown. No worker is there any more.
func (a *Archive) leave() {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, j := range a.jobs {
		if j.growth != nil {
			j.growth.Leave()
		}
	}
}

// sweep removes what uploads have left behind, and streams that are too old, from time to time. The first time is when the uploads that
// are to go on have begun to.
func (a *Archive) sweep(ctx context.Context) {
	hour, first := time.NewTicker(sweepEvery), time.NewTimer(sweepFirst)
	defer hour.Stop()
	defer first.Stop()
	for {
		select {
		case <-first.C:
		case <-hour.C:
		case <-ctx.Done():
			return
		}
		if err := a.clean(ctx); err != nil && ctx.Err() == nil {
			a.log().Warn("sweeping the store failed", "err", err)
		}
	}
}

func (a *Archive) clean(ctx context.Context) error {
	_, err := a.expire(ctx, time.Now())
	err = errors.Join(err, a.deleteRemains(ctx))
	if sweeper, ok := a.Store.(storage.Sweeper); ok {
		_, swept := sweeper.Sweep(ctx, a.wants)
		err = errors.Join(err, swept)
	}
	return err
}

// wants reports whether key is of a stream that is on its way to the store.
func (a *Archive) wants(key string) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.jobs[streamOf(key)] != nil
}
