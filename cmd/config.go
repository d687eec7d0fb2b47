package cmd

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"text/tabwriter"

	"github.com/go-viper/mapstructure/v2"
	"github.com/knadh/koanf/parsers/toml/v2"
	"github.com/knadh/koanf/providers/env/v2"
	"github.com/knadh/koanf/providers/file"
	"github.com/knadh/koanf/providers/posflag"
	"github.com/knadh/koanf/providers/structs"
	"github.com/knadh/koanf/v2"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"entrepot/server"
)

// cli is what the command line says to all commands.
type cli struct{ configFile string }

// flagKeys are the settings with a flag of their own.
var flagKeys = map[string]string{
	"data": "data", "listen": "listen", "url": "url", "database": "database.url", "storage": "storage.remote",
}

// configFlags are the flags that every command takes.
func (c *cli) configFlags(root *cobra.Command) {
	f := root.PersistentFlags()
	f.String("data", "", "folder of the database and the local storage (default \"data\")")
	f.String("database", "", "postgres://... or sqlite:PATH (default entrepot.db in the data folder)")
	f.String("storage", "", "a folder or an rclone remote (default blobs in the data folder)")
	f.StringVar(&c.configFile, "config", "", "configuration file in TOML (default entrepot.toml, if it is there)")
}

// serveFlags are the flags of serving.
func (c *cli) serveFlags(cmd *cobra.Command) {
	cmd.Flags().String("listen", "", "address and port to serve on (default \":8080\")")
	cmd.Flags().String("url", "", "public URL of the server (default as each request has it)")
}

// load reads the configuration: defaults, then the file, then the
// environment, then the flags. A key that does not exist is an error.
func (c *cli) load(cmd *cobra.Command) (server.Config, error) {
	config := server.DefaultConfig()
	k := koanf.New(".")
	if err := k.Load(structs.Provider(config, "toml"), nil); err != nil {
		return config, err
	}
	known := map[string]bool{}
	for _, s := range config.Settings() {
		known[s.Key] = true
	}
	if err := c.loadFile(k); err != nil {
		return config, err
	}
	unknown := ""
	err := k.Load(env.Provider(".", env.Opt{
		Prefix: "ENTREPOT_",
		TransformFunc: func(name, value string) (string, any) {
			key := envKey(name, known)
			if key == "" {
				unknown = name
			}
			return key, value
		},
	}), nil)
	if err != nil {
		return config, err
	}
	if unknown != "" {
		return config, fmt.Errorf("the environment variable %s names no setting", unknown)
	}
	flags := posflag.ProviderWithFlag(cmd.Flags(), ".", k, func(f *pflag.Flag) (string, any) {
		if !f.Changed || flagKeys[f.Name] == "" {
			return "", nil
		}
		return flagKeys[f.Name], f.Value.String()
	})
	if err := k.Load(flags, nil); err != nil {
		return config, err
	}
	decode := koanf.UnmarshalConf{Tag: "toml", DecoderConfig: &mapstructure.DecoderConfig{
		Result: &config, TagName: "toml", ErrorUnused: true, WeaklyTypedInput: true,
		DecodeHook: mapstructure.ComposeDecodeHookFunc(mapstructure.StringToTimeDurationHookFunc(), mapstructure.StringToSliceHookFunc(",")),
	}}
	if err := k.UnmarshalWithConf("", &config, decode); err != nil {
		return config, fmt.Errorf("configuration: %w", err)
	}
	return config, config.Validate()
}

func (c *cli) loadFile(k *koanf.Koanf) error {
	path := c.configFile
	if path == "" {
		path = os.Getenv("ENTREPOT_CONFIG")
	}
	optional := path == ""
	if optional {
		path = "entrepot.toml"
	}
	err := k.Load(file.Provider(path), toml.Parser())
	if optional && errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read %s: %w", path, err)
	}
	return nil
}

// envKey is the setting an environment variable names, or "". Keys hold
// underscores themselves, so they are looked up rather than taken apart.
func envKey(name string, known map[string]bool) string {
	want := strings.ToLower(strings.TrimPrefix(name, "ENTREPOT_"))
	if want == "config" {
		return "-"
	}
	for key := range known {
		if strings.ReplaceAll(key, ".", "_") == want {
			return key
		}
	}
	return ""
}

func newConfig(c *cli) *cobra.Command {
	return &cobra.Command{
		Use:   "config",
		Short: "Print the settings in effect, secrets masked",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			config, err := c.load(cmd)
			if err != nil {
				return err
			}
			w := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
			for _, s := range config.Settings() {
				fmt.Fprintf(w, "%s\t= %s\n", s.Key, s.Value)
			}
			return w.Flush()
		},
	}
}
