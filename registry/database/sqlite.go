package database

import (
	"database/sql"
	"net/url"
	"runtime"
	"strings"

	_ "modernc.org/sqlite" // the driver named sqlite
)

// openSQLite opens one connection that writes and a pool that only reads.
// Writers that share a pool fight for the file's lock by sleeping; queued on
// one connection each waits its turn, some forty times shorter at worst.
func openSQLite(path string, opts Options) (writer, reader *sql.DB, err error) {
	synchronous := "FULL"
	if opts.Fast {
		synchronous = "NORMAL"
	}
	if strings.HasPrefix(path, ":memory:") {
		writer, err = sql.Open("sqlite", sqliteDSN(path, "foreign_keys(1)"))
		if err == nil {
			// A second connection would be a second, empty database.
			writer.SetMaxOpenConns(1)
		}
		return writer, writer, err
	}
	writer, err = sql.Open("sqlite", sqliteDSN(path,
		"busy_timeout(10000)", "journal_mode(WAL)", "synchronous("+synchronous+")", "foreign_keys(1)", "cache_size(-8000)"))
	if err != nil {
		return nil, nil, err
	}
	writer.SetMaxOpenConns(1)
	reader, err = sql.Open("sqlite", sqliteDSN(path,
		"busy_timeout(10000)", "foreign_keys(1)", "query_only(1)", "cache_size(-4000)"))
	if err != nil {
		writer.Close()
		return nil, nil, err
	}
	reader.SetMaxOpenConns(max(4, 2*runtime.NumCPU()))
	reader.SetMaxIdleConns(4)
	return writer, reader, nil
}

// inURL escapes what would end the path of a file: URL, or be taken for an
// escape of its own.
var inURL = strings.NewReplacer("%", "%25", "?", "%3f", "#", "%23")

// sqliteDSN gives times a form whose text order is their order in time.
func sqliteDSN(path string, pragmas ...string) string {
	q := url.Values{
		"_txlock":      {"immediate"},
		"_time_format": {"sqlite"},
		"_timezone":    {"UTC"},
		"_pragma":      pragmas,
	}
	return "file:" + inURL.Replace(path) + "?" + q.Encode()
}
