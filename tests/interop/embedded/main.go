// Runs golang-migrate as a library, as a Go service does when it starts: on a connection pool
// that is open already, so that its lock is named by the database alone and not by a URL.
//
//	embedded -path DIR -database URL [-name NAME] COMMAND
//
// The commands are up [N], down N, down -all, goto V, force V, drop -f and version.
package main

import (
	"database/sql"
	"errors"
	"flag"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/golang-migrate/migrate/v4"
	"github.com/golang-migrate/migrate/v4/database/postgres"
	_ "github.com/golang-migrate/migrate/v4/source/file"
)

var (
	path = flag.String("path", "", "the folder of the migrations")
	url  = flag.String("database", "", "the database")
	name = flag.String("name", "", "the database's name in the library's configuration")
)

func main() {
	flag.Parse()
	if err := run(flag.Args()); err != nil && !errors.Is(err, migrate.ErrNoChange) {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

func run(words []string) error {
	pool, err := sql.Open("postgres", *url)
	if err != nil {
		return err
	}
	defer pool.Close()
	driver, err := postgres.WithInstance(pool, &postgres.Config{DatabaseName: *name})
	if err != nil {
		return err
	}
	runner, err := migrate.NewWithDatabaseInstance("file://"+*path, "postgres", driver)
	if err != nil {
		return err
	}
	runner.LockTimeout = 10 * time.Minute
	return obey(runner, words)
}

func obey(runner *migrate.Migrate, words []string) error {
	switch strings.Join(words, " ") {
	case "up":
		return runner.Up()
	case "down -all":
		return runner.Down()
	case "drop -f":
		return runner.Drop()
	case "version":
		_, _, err := runner.Version()
		return err
	}
	if len(words) != 2 {
		return fmt.Errorf("not understood: %v", words)
	}
	number, err := strconv.Atoi(words[1])
	if err != nil {
		return err
	}
	switch words[0] {
	case "up":
		return runner.Steps(number)
	case "down":
		return runner.Steps(-number)
	case "goto":
		return runner.Migrate(uint(number))
	case "force":
		return runner.Force(number)
	}
	return fmt.Errorf("not understood: %v", words)
}
