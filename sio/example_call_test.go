package sio_test

import (
	"context"
	"fmt"
	"net/http/httptest"

	"sluice/sio"
)

// Move is what a player does.
type Move struct {
	From, To string
}

// Board is what comes of it.
type Board struct {
	Moves int
}

// The protocol is a table that server and client share.
const (
	makeMove  sio.Call[Move, Board] = "move"
	boardSent sio.Cast[Board]       = "board"
)

func ExampleCall() {
	server := &sio.Server{}
	ns := server.Of("/")
	makeMove.Handle(ns, func(ctx context.Context, s *sio.Socket, m Move) (Board, error) {
		if m.From == m.To {
			return Board{}, &sio.Error{Message: "that is no move"}
		}
		board := Board{Moves: 1}
		return board, boardSent.Emit(s.Broadcast(), board)
	})
	srv := httptest.NewServer(server)
	defer srv.Close()
	defer server.Shutdown(context.Background())

	ctx := context.Background()
	c := mustConnect(ctx, srv.URL)
	defer c.Close()
	board, err := makeMove.Do(ctx, c, Move{"e2", "e4"})
	fmt.Println(board, err)
	_, err = makeMove.Do(ctx, c, Move{"e2", "e2"})
	fmt.Println(err)
	// Output:
	// {1} <nil>
	// that is no move
}
