package app

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"os"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	"parley/account"
	"parley/platform/civil"
	"parley/platform/fault"
	"parley/reach/mail"
)

type serveCmd struct {
	Listen string `placeholder:"HOST:PORT" help:"Address to listen on (localhost:8466)."`
	URL    string `name:"url" placeholder:"URL" help:"Public base address, for links in mails."`
	Dev    bool   `help:"Show the pages that help programmers."`
	Demo   bool   `help:"Make the demo organisation when there is none at all, and print a link into it."`
}

func (c *serveCmd) overrides() map[string]string {
	o := map[string]string{"listen": c.Listen, "url": c.URL}
	if c.Dev {
		o["dev"] = "true"
	}
	return o
}

// How long a server takes to stop, and what it allows a client.
const (
	shutdownTime  = 5 * time.Second
	headerTime    = 10 * time.Second
	idleTime      = 2 * time.Minute
	maxHeader     = 64 << 10
	demoLinkLife  = time.Hour
	sweepEvery    = time.Hour
	settleEvery   = time.Minute
	requestsEvery = 5 * time.Minute
	remindEvery   = 20 * time.Second // a reminder comes at most so late
	settleAtOnce  = 4                // coarse rows, some milliseconds each
	settleHorizon = 1                // days before today that are left alone, since they still change
)

func (c *serveCmd) plain(ctx context.Context, r *Run) error {
	if err := os.MkdirAll(r.Config.Data, 0o700); err != nil {
		return fault.Wrap(fault.Unavailable, err, "The data folder %s cannot be made. Choose another with --data.", r.Config.Data)
	}
	held, err := takeLock(r.Config.Data)
	if errors.Is(err, errHeld) {
		return fault.New(fault.Conflict, "Another process (%s) is using the data in %s. One server runs on a data folder; stop that one, or choose another folder with --data.", holder(r.Config.Data), r.Config.Data)
	}
	if err != nil {
		return err
	}
	p, err := Open(ctx, r.Config, held, r.Config.logger(r.Err))
	if err != nil {
		return err
	}
	s := &server{p: p, run: r, demo: c.Demo}
	return errors.Join(s.serve(ctx), p.Close())
}

func (c *Config) logger(w interface{ Write([]byte) (int, error) }) *slog.Logger {
	levels := map[string]slog.Level{"debug": slog.LevelDebug, "info": slog.LevelInfo, "warn": slog.LevelWarn, "error": slog.LevelError}
	o := &slog.HandlerOptions{Level: levels[c.LogLevel]}
	if c.LogFormat == "json" {
		return slog.New(slog.NewJSONHandler(w, o))
	}
	return slog.New(slog.NewTextHandler(w, o))
}

// server is an installation at work.
type server struct {
	p     *Parley
	run   *Run
	demo  bool
	shown *account.Org // the demo organisation that visitors are led to; nil when none is
}

// garbage is how much of it may lie about, in per cent of what is in use, before it is collected: less than Go's 100, since
// a server that shares a small machine should stay small. Reports make little.
const garbage = 20

// serve works until ctx ends. What was begun then is finished: requests, commands, the writer's commit.
func (s *server) serve(ctx context.Context) error {
	listener, err := net.Listen("tcp", s.p.Config.Listen)
	if err != nil {
		return fault.Wrap(fault.Unavailable, err, "The server cannot listen on %s (%s). Choose another address with --listen.", s.p.Config.Listen, err)
	}
	s.p.Mail.OnLocal = s.printMail
	if err := errors.Join(s.p.Imports.Interrupted(ctx), s.p.Intake.Interrupted(ctx)); err != nil {
		return errors.Join(err, listener.Close())
	}
	if err := s.prepareDemo(ctx); err != nil {
		return errors.Join(err, listener.Close())
	}
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(garbage)
	}
	uploads, err := s.p.uploads()
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	site, err := s.p.site(uploads)
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	defer site.close()
	secured, handler, plainEnds, err := s.secure(ctx, listener, site.handler)
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	defer plainEnds()
	desk, err := openDesk(s.p)
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	working, stop := context.WithCancel(ctx)
	var duties sync.WaitGroup
	duties.Go(func() { desk.serve(working) })
	for _, duty := range []func(context.Context){s.resume, s.sweep, s.settle, s.deliver, s.backUp, s.policies, s.requests, s.checkpoints, s.watch, s.prove, s.attach, s.remind, s.assign} {
		duties.Go(func() { duty(working) })
	}
	err = s.listen(ctx, secured, handler)
	stop()
	duties.Wait()
	return err
}

// listen answers requests until ctx ends.
func (s *server) listen(ctx context.Context, listener net.Listener, handler http.Handler) error {
	base, cut := context.WithCancel(context.WithoutCancel(ctx)) // requests outlive the signal, for a while
	defer cut()
	hs := &http.Server{
		Handler: handler, ReadHeaderTimeout: headerTime, IdleTimeout: idleTime, MaxHeaderBytes: maxHeader,
		BaseContext: func(net.Listener) context.Context { return base },
		ErrorLog:    slog.NewLogLogger(s.p.Log.Handler(), slog.LevelDebug),
	}
	failed := make(chan error, 1)
	go func() { failed <- hs.Serve(listener) }()
	if err := s.greet(ctx, listener.Addr().String()); err != nil {
		return errors.Join(err, hs.Close())
	}
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	s.p.Log.Info("stopping")
	grace, end := context.WithTimeout(base, shutdownTime)
	defer end()
	err := hs.Shutdown(grace)
	if errors.Is(err, context.DeadlineExceeded) { // a slow upload: it is told by its context, and repeated safely
		cut()
		err = hs.Close()
	}
	return err
}

// greet says where the server is and how to get in.
func (s *server) greet(ctx context.Context, address string) error {
	s.p.Log.Info("serving", "version", version(), "engine", s.p.DB.Engine())
	if s.p.Config.Listen != address && strings.HasSuffix(s.p.Config.Listen, ":0") {
		s.p.Config.Listen = address // a free port was asked for
	}
	if err := s.run.printf("Parley is at %s\n", s.p.Config.base()); err != nil {
		return err
	}
	orgs, err := s.p.Accounts.Orgs(ctx)
	if err != nil {
		return err
	}
	if len(orgs) == 0 {
		return s.run.printf("There is no organisation yet. Make yours at %s/sign-up\n", s.p.Config.base())
	}
	if s.shown == nil {
		return nil
	}
	owner, err := s.p.Accounts.Owner(ctx, s.shown.ID)
	if err != nil {
		return err
	}
	secret, err := s.p.Accounts.OneTimeLink(ctx, s.shown.ID, owner.ID, demoLinkLife)
	if err != nil {
		return err
	}
	return s.run.printf("Look around in the demo organisation (the link works once, within an hour):\n  %s\n", s.p.Config.link("link", secret))
}

// prepareDemo finds the demo organisation that visitors are led to. It is made when there is no organisation at all.
func (s *server) prepareDemo(ctx context.Context) error {
	if !s.demo {
		return nil
	}
	orgs, err := s.p.Accounts.Orgs(ctx)
	if err != nil {
		return err
	}
	if len(orgs) == 0 {
		s.shown, err = makeDemo(ctx, s.run, s.p, demoSeed)
		return err
	}
	for _, o := range orgs {
		if o.Demo {
			s.shown = o
		}
	}
	return nil
}

// printMail shows a mail that stays here: what it is, and the link in it.
func (s *server) printMail(m mail.Sent) {
	for word := range strings.FieldsSeq(m.Text) {
		if strings.HasPrefix(word, "http://") || strings.HasPrefix(word, "https://") {
			if err := s.run.printf("Mail (no mail server is configured): %s\n  %s\n", m.Subject, word); err != nil {
				s.p.Log.Warn("mail not printed", "err", err)
			}
			return
		}
	}
}

// every does a duty now and then until ctx ends.
func (s *server) every(ctx context.Context, pause time.Duration, name string, duty func(context.Context) error) {
	for {
		if err := duty(ctx); err != nil && ctx.Err() == nil {
			s.p.Log.Error("duty failed", "duty", name, "err", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(pause):
		}
	}
}

// resume finishes what a stopped server left. It has no hurry: reports say meanwhile what is not reckoned yet.
func (s *server) resume(ctx context.Context) {
	if err := s.p.Writer.Resume(ctx, s.p.Accounts, s.p.Devices); err != nil && ctx.Err() == nil {
		s.p.Log.Error("duty failed", "duty", "resume", "err", err)
	}
}

func (s *server) sweep(ctx context.Context) {
	s.every(ctx, sweepEvery, "retention", s.p.retainAll)
}

// requests carries on with what people asked for: at the start, and then every few minutes.
func (s *server) requests(ctx context.Context) {
	s.every(ctx, requestsEvery, "requests", s.p.Rights.Tick)
}

// watch tells about clocks of incidents that run out.
func (s *server) watch(ctx context.Context) {
	s.every(ctx, settleEvery, "incidents", func(ctx context.Context) error {
		_, err := s.p.Incidents.Watch(ctx)
		return err
	})
}

func (s *server) deliver(ctx context.Context) {
	s.p.Mail.Run(ctx, func(err error) { s.p.Log.Error("duty failed", "duty", "mail", "err", err) })
}

// assign gives out leads that waited for somebody, and takes them away from whoever leaves them lying.
func (s *server) assign(ctx context.Context) {
	s.every(ctx, settleEvery, "assign", s.p.reassign)
}

// attach has leads say what their calls say.
func (s *server) attach(ctx context.Context) {
	s.p.Attach.Run(ctx, func(err error) { s.p.Log.Error("duty failed", "duty", "attach", "err", err) })
}

// remind tells members of what they are to do, and managers of what stays undone.
func (s *server) remind(ctx context.Context) {
	s.every(ctx, remindEvery, "follow-ups", func(ctx context.Context) error { return s.p.FollowUps.Remind(ctx, s.p.Now()) })
}

// settle writes the coarse rows of past days, a few at a time, so that reports over long ranges find them.
func (s *server) settle(ctx context.Context) {
	s.every(ctx, settleEvery, "settle", func(ctx context.Context) error {
		orgs, err := s.p.Accounts.Orgs(ctx)
		for _, org := range orgs {
			err = errors.Join(err, s.p.settle(ctx, org, func(worked time.Duration) error { return rest(ctx, worked) })) // half of one core at most
		}
		return err
	})
}

// settle writes all coarse rows of an organisation that are due, and pauses after every few.
func (p *Parley) settle(ctx context.Context, org *account.Org, pause func(worked time.Duration) error) error {
	until := civil.Today(p.Now(), org.Location()) - settleHorizon
	for {
		began := time.Now()
		done, err := p.Reporter.Settle(ctx, org, until, settleAtOnce)
		if done || err != nil {
			return err
		}
		if err := pause(time.Since(began)); err != nil {
			return err
		}
	}
}

func rest(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}
