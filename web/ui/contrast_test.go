package ui

import (
	"fmt"
	"math"
	"os"
	"regexp"
	"strconv"
	"testing"
)

// Text must stand out from its ground by 4.5:1 and the outline of a control by 3:1 (WCAG 2.2, 1.4.3 and 1.4.11). The
// colours are read from the themes themselves.
func TestContrast(t *testing.T) {
	css, err := os.ReadFile("../assets/app.css")
	if err != nil {
		t.Fatal(err)
	}
	themes := regexp.MustCompile(`(?s)@plugin "daisyui/theme" \{\s*name: "(\w+)";(.*?)\n\}`).FindAllStringSubmatch(string(css), -1)
	if len(themes) != 2 {
		t.Fatalf("%d themes, want 2", len(themes))
	}
	text := [][2]string{
		{"color-base-content", "color-base-100"}, {"color-base-content", "color-base-200"}, {"color-base-content", "tone-code"},
		{"color-base-content", "color-base-300"},
		{"tone-muted", "color-base-100"}, {"tone-muted", "color-base-200"}, {"tone-muted", "tone-code"},
		{"color-primary", "color-base-100"}, {"color-primary", "color-base-200"}, {"color-primary", "tone-glow"},
		{"color-primary-content", "color-primary"}, {"color-error-content", "color-error"},
		{"color-neutral-content", "color-neutral"},
		{"color-error", "color-base-100"}, {"color-error", "color-base-200"}, {"color-warning", "color-base-100"},
		{"color-success", "color-base-100"}, {"color-info", "color-base-100"},
		{"color-info", "tone-info"}, {"color-success", "tone-success"}, {"color-warning", "tone-warning"}, {"color-error", "tone-error"},
		{"color-base-content", "tone-info"}, {"color-base-content", "tone-warning"}, {"color-primary", "tone-success"},
	}
	controls := [][2]string{{"tone-edge", "color-base-100"}, {"tone-edge", "color-base-200"}}
	for _, theme := range themes {
		colours := map[string]string{}
		for _, m := range regexp.MustCompile(`--([\w-]+): (#[0-9a-f]{6});`).FindAllStringSubmatch(theme[2], -1) {
			colours[m[1]] = m[2]
		}
		check := func(pairs [][2]string, least float64) {
			for _, pair := range pairs {
				t.Run(fmt.Sprintf("%s/%s on %s", theme[1], pair[0], pair[1]), func(t *testing.T) {
					if got := contrast(t, colours[pair[0]], colours[pair[1]]); got < least {
						t.Errorf("contrast %.2f, want %.1f", got, least)
					}
				})
			}
		}
		check(text, 4.5)
		check(controls, 3)
	}
}

func contrast(t *testing.T, a, b string) float64 {
	t.Helper()
	la, lb := luminance(t, a), luminance(t, b)
	return (max(la, lb) + 0.05) / (min(la, lb) + 0.05)
}

func luminance(t *testing.T, hex string) float64 {
	t.Helper()
	if len(hex) != 7 {
		t.Fatalf("no colour: %q", hex)
	}
	sum := 0.0
	for i, weight := range []float64{0.2126, 0.7152, 0.0722} {
		n, err := strconv.ParseUint(hex[1+2*i:3+2*i], 16, 8)
		if err != nil {
			t.Fatal(err)
		}
		c := float64(n) / 255
		if c <= 0.04045 {
			c /= 12.92
		} else {
			c = math.Pow((c+0.055)/1.055, 2.4)
		}
		sum += weight * c
	}
	return sum
}
