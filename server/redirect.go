package server

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"entrepot/protocols"
	"entrepot/registry"
)

// The values of storage.redirect.
const (
	redirectAuto = "auto"
	redirectOn   = "on"
	redirectOff  = "off"
)

// redirectPolicy reads the settings of redirects. The error tells all that is
// wrong with them.
func (c StorageConfig) redirectPolicy() (registry.RedirectPolicy, error) {
	var errs []error
	p := registry.RedirectPolicy{
		Types: map[string]bool{}, MinSize: c.RedirectMinSize, Private: c.RedirectPrivate, DenyAgents: trimmed(c.RedirectDenyAgents),
	}
	// The server cannot know whether clients reach the store as it does. Who
	// names an endpoint for them says that they do.
	enabled := func(key, mode string) bool {
		if !slices.Contains([]string{redirectAuto, redirectOn, redirectOff}, mode) {
			errs = append(errs, fmt.Errorf("storage.%s: %q is none of auto, on, off", key, mode))
		}
		return mode == redirectOn || mode == redirectAuto && c.PublicEndpoint != ""
	}
	p.Enabled = enabled("redirect", c.Redirect)
	types := PackageTypes()
	for _, entry := range trimmed(c.RedirectTypes) {
		name, mode, _ := strings.Cut(entry, "=")
		name = strings.TrimSpace(name)
		if !slices.ContainsFunc(types, func(t *protocols.Type) bool { return t.Name == name }) {
			errs = append(errs, fmt.Errorf("storage.redirect_types: there is no package type %q; want TYPE=MODE", name))
			continue
		}
		p.Types[name] = enabled("redirect_types", strings.TrimSpace(mode))
	}
	if c.RedirectMinSize < 0 {
		errs = append(errs, errors.New("storage.redirect_min_size: want 0 or more"))
	}
	for _, entry := range trimmed(c.RedirectExcludeNetworks) {
		network, err := parseNetwork(entry)
		if err != nil {
			errs = append(errs, fmt.Errorf("storage.redirect_exclude_networks: %q is neither a network, such as 10.0.0.0/8, nor an address", entry))
		}
		p.ExcludeNetworks = append(p.ExcludeNetworks, network)
	}
	return p, errors.Join(errs...)
}

// parseNetwork reads a network, or an address as the network of it alone.
func parseNetwork(text string) (netip.Prefix, error) {
	if a, err := netip.ParseAddr(text); err == nil {
		return netip.PrefixFrom(a, a.BitLen()), nil
	}
	return netip.ParsePrefix(text)
}

// trimmed leaves out spaces and what is empty then: in an environment variable
// people write lists with spaces after the commas.
func trimmed(list []string) []string {
	var out []string
	for _, s := range list {
		if s = strings.TrimSpace(s); s != "" {
			out = append(out, s)
		}
	}
	return out
}
