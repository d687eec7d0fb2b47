package server

import (
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"reflect"
	"strings"
	"time"

	"entrepot/registry"
	"entrepot/storage"
)

// Config is everything that can be set. Every field has a default with which
// the server starts; docs/configuration.md is generated from this struct.
//
// Tags: toml is the key, help the sentence of the documentation, secret keeps
// the value out of what is printed.
type Config struct {
	Listen   string         `toml:"listen" help:"Address and port to serve HTTP on."`
	Data     string         `toml:"data" help:"Folder of the SQLite database and of the local storage."`
	URL      string         `toml:"url" help:"Public URL of the server, as clients reach it. Empty takes it from each request."`
	Database DatabaseConfig `toml:"database"`
	Storage  StorageConfig  `toml:"storage"`
	Auth     AuthConfig     `toml:"auth"`
	Limits   LimitsConfig   `toml:"limits"`
	Cleanup  CleanupConfig  `toml:"cleanup"`
	Log      LogConfig      `toml:"log"`
	Metrics  MetricsConfig  `toml:"metrics"`
	Swift    SwiftConfig    `toml:"swift"`
}

// DatabaseConfig says where rows are kept.
type DatabaseConfig struct {
	URL  string `toml:"url" secret:"true" help:"Database: postgres://user:password@host/name, or sqlite:PATH. Empty means entrepot.db in the data folder."`
	Fast bool   `toml:"fast" help:"SQLite alone: commit without waiting for the disk. A power cut may then lose the last seconds."`
}

// StorageConfig says where bytes are kept.
type StorageConfig struct {
	Remote         string `toml:"remote" secret:"true" help:"A folder, or any rclone remote such as :s3,provider=Minio,endpoint=...:bucket/prefix. Empty means blobs in the data folder."`
	RcloneConfig   string `toml:"rclone_config" help:"Path of an rclone.conf that the remote's name is looked up in."`
	PublicEndpoint string `toml:"public_endpoint" help:"URL under which clients reach the object store, for links to it. Empty means as the server reaches it."`

	Redirect                string        `toml:"redirect" help:"Send clients to the object store for large files, by links that work without an account: on, off, or auto, which means on when public_endpoint is set. Where no link can be made the server sends the file."`
	RedirectTypes           []string      `toml:"redirect_types" help:"Package types that differ from it, such as container=on, npm=off."`
	RedirectMinSize         int64         `toml:"redirect_min_size" help:"Files below this many bytes are sent by the server: a second round trip would cost more than it saves."`
	RedirectPrivate         bool          `toml:"redirect_private" help:"Redirect also what needs an account to read. Whoever gets hold of a link can use it until it ends."`
	RedirectDenyAgents      []string      `toml:"redirect_deny_agents" help:"Clients that are sent the file because they cannot follow: parts of their User-Agent, in any case."`
	RedirectExcludeNetworks []string      `toml:"redirect_exclude_networks" help:"Networks whose clients are sent the file because they cannot reach the object store, such as 10.0.0.0/8. Behind a proxy, the first address in X-Forwarded-For counts."`
	LinkTTL                 time.Duration `toml:"link_ttl" help:"How long a link to the object store works, at most 15m. A download that has begun goes on."`

	Grace        time.Duration `toml:"grace" help:"How long bytes that nothing refers to are kept."`
	KeepUnneeded time.Duration `toml:"keep_unneeded" help:"How long layers are kept that were uploaded for an image that never came, or whose image was deleted. Less than the longest push takes, and pushes fail."`
	Collect      time.Duration `toml:"collect" help:"How often garbage is collected; 0 leaves it to the gc command."`
}

// AuthConfig says who may come in.
type AuthConfig struct {
	AnonymousRead bool `toml:"anonymous_read" help:"Let anybody read what is public. Off, every read needs an account."`
	SecureCookies bool `toml:"secure_cookies" help:"Send session cookies over HTTPS alone. On by itself when url begins with https."`
}

// LimitsConfig bounds what a request may cost.
type LimitsConfig struct {
	FileSize    int64         `toml:"file_size" help:"Largest file that may be published, in bytes; 0 means no limit."`
	IdleTimeout time.Duration `toml:"idle_timeout" help:"How long a request or an answer may make no progress."`
	Flush       time.Duration `toml:"flush" help:"How long download counts and last-used stamps of tokens stay in memory; a crash loses so much of them."`
	Drain       time.Duration `toml:"drain" help:"How long running requests may go on after the signal to stop."`
}

// CleanupConfig says when cleanup rules are carried out.
type CleanupConfig struct {
	Schedule string `toml:"schedule" help:"When cleanup rules are carried out that say nothing of it: a cron expression of five fields, or @daily and the like, in UTC; empty means never."`
}

// LogConfig says what is logged and how.
type LogConfig struct {
	Level  string `toml:"level" help:"debug, info, warn or error."`
	Format string `toml:"format" help:"text or json."`
}

// MetricsConfig says who may read the metrics.
type MetricsConfig struct {
	Token string `toml:"token" secret:"true" help:"Bearer token for /metrics; empty serves it to loopback addresses alone."`
}

// SwiftConfig is about packages of the type swift.
type SwiftConfig struct {
	RequireSignature bool `toml:"require_signature" help:"Take signed releases of Swift packages alone."`
}

// DefaultConfig is the configuration of a server that was told nothing.
func DefaultConfig() Config {
	return Config{
		Listen: ":8080",
		Data:   "data",
		Storage: StorageConfig{
			Redirect: redirectAuto, RedirectMinSize: 1 << 20, RedirectPrivate: true, LinkTTL: storage.DefaultLinkTTL,
			Grace: time.Hour, KeepUnneeded: 24 * time.Hour, Collect: time.Hour,
		},
		Auth:    AuthConfig{AnonymousRead: true},
		Limits:  LimitsConfig{IdleTimeout: time.Minute, Flush: 5 * time.Second, Drain: 30 * time.Second},
		Cleanup: CleanupConfig{Schedule: "0 3 * * *"},
		Log:     LogConfig{Level: "info", Format: "text"},
	}
}

// databaseURL is where the rows are, defaults applied.
func (c Config) databaseURL() string {
	if c.Database.URL != "" {
		return c.Database.URL
	}
	return "sqlite:" + filepath.Join(c.Data, "entrepot.db")
}

// storageRemote is where the bytes are, defaults applied.
func (c Config) storageRemote() string {
	if c.Storage.Remote != "" {
		return c.Storage.Remote
	}
	return filepath.Join(c.Data, "blobs")
}

// Validate tells what cannot work.
func (c Config) Validate() error {
	var errs []error
	if c.URL != "" {
		u, err := url.Parse(c.URL)
		if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || strings.Trim(u.Path, "/") != "" {
			errs = append(errs, fmt.Errorf("url: %q is not http:// or https:// with a host and no path", c.URL))
		}
	}
	if _, err := c.Storage.redirectPolicy(); err != nil {
		errs = append(errs, err)
	}
	if ttl := c.Storage.LinkTTL; ttl < time.Second || ttl > storage.MaxLinkTTL {
		errs = append(errs, fmt.Errorf("storage.link_ttl: want from 1s to %v", storage.MaxLinkTTL))
	}
	if c.Limits.IdleTimeout <= 0 {
		errs = append(errs, errors.New("limits.idle_timeout: want more than 0"))
	}
	if c.Limits.Flush <= 0 {
		errs = append(errs, errors.New("limits.flush: want more than 0"))
	}
	if c.Limits.FileSize < 0 {
		errs = append(errs, errors.New("limits.file_size: want 0 or more"))
	}
	if _, err := registry.ParseSchedule(c.Cleanup.Schedule); err != nil && c.Cleanup.Schedule != "" {
		errs = append(errs, fmt.Errorf("cleanup.schedule: %w", err))
	}
	if _, err := c.Log.level(); err != nil {
		errs = append(errs, err)
	}
	if c.Log.Format != "text" && c.Log.Format != "json" {
		errs = append(errs, fmt.Errorf("log.format: %q is neither text nor json", c.Log.Format))
	}
	return errors.Join(errs...)
}

// Setting is one thing that can be set.
type Setting struct {
	// Key is its name with dots: "storage.remote".
	Key string
	// Help is its sentence.
	Help string
	// Value is what it is set to, "***" for a secret that is set.
	Value string
}

// Env is the environment variable of the setting.
func (s Setting) Env() string {
	return "ENTREPOT_" + strings.ToUpper(strings.ReplaceAll(s.Key, ".", "_"))
}

// Settings lists all settings of the configuration in their order.
func (c Config) Settings() []Setting {
	var all []Setting
	var walk func(prefix string, v reflect.Value)
	walk = func(prefix string, v reflect.Value) {
		for i := range v.NumField() {
			f := v.Type().Field(i)
			key := prefix + f.Tag.Get("toml")
			if f.Type.Kind() == reflect.Struct {
				walk(key+".", v.Field(i))
				continue
			}
			value := fmt.Sprint(v.Field(i).Interface())
			if list, ok := v.Field(i).Interface().([]string); ok {
				value = strings.Join(list, ", ")
			}
			if f.Tag.Get("secret") == "true" && value != "" {
				value = "***"
			}
			all = append(all, Setting{Key: key, Help: f.Tag.Get("help"), Value: value})
		}
	}
	walk("", reflect.ValueOf(c))
	return all
}
