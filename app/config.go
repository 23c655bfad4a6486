package app

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/BurntSushi/toml"

	"parley/platform/backup"
	"parley/platform/fault"
	"parley/reach/mail"
)

// Config is what whoever runs the program decides. Flags go before the environment, the environment before the file,
// the file before what is usual.
type Config struct {
	Data      string // folder of everything that is kept
	Database  string // PostgreSQL connection string; "" = the embedded database in Data
	MasterKey string // 32 bytes in base64, or the address of a Vault that holds it; "" = the file master.key in Data
	// MasterToken lets us use the Vault.
	MasterToken string
	Listen      string
	URL         string // public base address; "" = as browsers ask
	Dev         bool
	SignUp      bool // strangers may open an organisation
	LogLevel    string
	LogFormat   string
	Metrics     string // token for /metrics; "" = from this machine only
	Mail        mail.Server
	Private     bool // organisations may declare recipients in the network of this machine
	TLS         TLS
	Backup      backup.Config
	Region      string // country where this server's data lies; "" = not said
	ProveDays   int    // between proof runs of each organisation; 0 = none but those people ask for

	said map[string]said
}

// said is a setting's text and where it came from.
type said struct{ text, from string }

// setting is one thing that can be decided, under its name in the file; the environment has PARLEY_ and the name in
// capitals with underscores.
type setting struct {
	name, usual, about string
	secret             bool
	set                func(c *Config, text string) error
}

func settings() []setting {
	return []setting{
		{name: "data", usual: "data", about: "folder of everything that is kept", set: text(func(c *Config) *string { return &c.Data })},
		{name: "database", about: "PostgreSQL connection string; empty for the embedded database", secret: true, set: setDatabase},
		{name: "master_key", about: "master key, 32 bytes in base64, or vault://HOST/transit/KEY; empty for the file master.key in the data folder", secret: true, set: text(func(c *Config) *string { return &c.MasterKey })},
		{name: "master_token", about: "token for the Vault that holds the master key", secret: true, set: text(func(c *Config) *string { return &c.MasterToken })},
		{name: "listen", usual: "localhost:8466", about: "address that the server listens on", set: text(func(c *Config) *string { return &c.Listen })},
		{name: "region", about: "country where this server's data lies, such as IN; policies are compared with it", set: place("region", func(c *Config) *string { return &c.Region })},
		{name: "tls.cert", about: "certificate (PEM file) to serve HTTPS with; empty behind a proxy that does it", set: text(func(c *Config) *string { return &c.TLS.Cert })},
		{name: "tls.key", about: "the certificate's key (PEM file)", set: text(func(c *Config) *string { return &c.TLS.Key })},
		{name: "tls.redirect", about: "address, such as :80, on which plain HTTP is sent to HTTPS", set: text(func(c *Config) *string { return &c.TLS.Redirect })},
		{name: "url", about: "public base address, for links in mails", set: setURL},
		{name: "dev", usual: "false", about: "pages that help programmers", set: yesNo("dev", func(c *Config) *bool { return &c.Dev })},
		{name: "sign_up", usual: "true", about: "strangers may open an organisation", set: yesNo("sign_up", func(c *Config) *bool { return &c.SignUp })},
		{name: "log.level", usual: "info", about: "debug, info, warn or error", set: oneOf("log.level", func(c *Config) *string { return &c.LogLevel }, "debug", "info", "warn", "error")},
		{name: "log.format", usual: "text", about: "text or json", set: oneOf("log.format", func(c *Config) *string { return &c.LogFormat }, "text", "json")},
		{name: "metrics.token", about: "token that /metrics asks for from other machines", secret: true, set: text(func(c *Config) *string { return &c.Metrics })},
		{name: "backup.target", about: "folder on another disk, or s3://HOST/BUCKET/FOLDER, that backups go to; empty for none", set: setBackup},
		{name: "backup.hour", usual: "2", about: "hour of the day from which on the day's backup is made", set: whole("backup.hour", 0, 23, func(c *Config) *int { return &c.Backup.Hour })},
		{name: "backup.keep_days", usual: "30", about: "days that backups are kept, at most 30", set: whole("backup.keep_days", 1, daysOpen, func(c *Config) *int { return &c.Backup.KeepDays })},
		{name: "backup.drill_days", usual: "7", about: "days between restore drills; 0 for none but those you make", set: whole("backup.drill_days", 0, 365, func(c *Config) *int { return &c.Backup.DrillDays })},
		{name: "backup.region", about: "country where backups lie, such as IN; none are made where a policy does not allow it", set: place("backup.region", func(c *Config) *string { return &c.Backup.Region })},
		{name: "backup.access_key", about: "access key of the bucket", secret: true, set: text(func(c *Config) *string { return &c.Backup.AccessKey })},
		{name: "backup.secret_key", about: "secret key of the bucket", secret: true, set: text(func(c *Config) *string { return &c.Backup.SecretKey })},
		{name: "prove.every", usual: "7", about: "days between proof runs of each organisation, by night; 0 for none but those you make", set: whole("prove.every", 0, 365, func(c *Config) *int { return &c.ProveDays })},
		{name: "recipients.private", usual: "false", about: "organisations' recipients may lie in the network of this machine", set: yesNo("recipients.private", func(c *Config) *bool { return &c.Private })},
		{name: "mail.host", about: "mail server; empty keeps mails in the local outbox", set: text(func(c *Config) *string { return &c.Mail.Host })},
		{name: "mail.port", usual: "0", about: "0 for 587, or 465 with implicit TLS", set: setMailPort},
		{name: "mail.user", about: "user at the mail server", set: text(func(c *Config) *string { return &c.Mail.User })},
		{name: "mail.password", about: "password at the mail server", secret: true, set: text(func(c *Config) *string { return &c.Mail.Password })},
		{name: "mail.from", about: "address that mails come from", set: text(func(c *Config) *string { return &c.Mail.From })},
		{name: "mail.tls", usual: "required", about: "required, implicit, whenoffered or none", set: func(c *Config, v string) error { c.Mail.TLS = mail.TLS(v); return nil }},
	}
}

func text(at func(*Config) *string) func(*Config, string) error {
	return func(c *Config, v string) error { *at(c) = v; return nil }
}

func oneOf(name string, at func(*Config) *string, words ...string) func(*Config, string) error {
	return func(c *Config, v string) error {
		if !slices.Contains(words, v) {
			return fault.New(fault.Invalid, "%s is %q. Choose one of %s.", name, v, strings.Join(words, ", "))
		}
		*at(c) = v
		return nil
	}
}

func setDatabase(c *Config, v string) error {
	if v != "" && !strings.HasPrefix(v, "postgres://") && !strings.HasPrefix(v, "postgresql://") {
		return fault.New(fault.Invalid, "database is no PostgreSQL address. Write it like postgres://user:password@host/name, or leave it empty for the embedded database.")
	}
	c.Database = v
	return nil
}

func setURL(c *Config, v string) error {
	if v != "" && !strings.HasPrefix(v, "http://") && !strings.HasPrefix(v, "https://") {
		return fault.New(fault.Invalid, "url is %q. Write the whole address that people use, for example https://calls.example.com.", v)
	}
	c.URL = strings.TrimRight(v, "/")
	return nil
}

func yesNo(name string, at func(*Config) *bool) func(*Config, string) error {
	return func(c *Config, v string) (err error) {
		if *at(c), err = strconv.ParseBool(v); err != nil {
			return fault.New(fault.Invalid, "%s is %q. Write true or false.", name, v)
		}
		return nil
	}
}

func whole(name string, least, most int, at func(*Config) *int) func(*Config, string) error {
	return func(c *Config, v string) error {
		n, err := strconv.Atoi(v)
		if err != nil || n < least || n > most {
			return fault.New(fault.Invalid, "%s is %q. Write a whole number from %d to %d.", name, v, least, most)
		}
		*at(c) = n
		return nil
	}
}

func setMailPort(c *Config, v string) (err error) {
	if c.Mail.Port, err = strconv.Atoi(v); err != nil {
		return fault.New(fault.Invalid, "mail.port is %q, which is not a number.", v)
	}
	return nil
}

func (s *setting) env() string {
	return "PARLEY_" + strings.ToUpper(strings.ReplaceAll(s.name, ".", "_"))
}

// readConfig puts the configuration together. flags are the settings given on the command line, by name; file is the
// configuration file that was named there, or "".
func readConfig(flags map[string]string, file string, env func(string) (string, bool)) (*Config, error) {
	c := &Config{said: map[string]said{}}
	if file == "" {
		file, _ = env("PARLEY_CONFIG")
	}
	all := settings()
	if err := knownNames(flags, all); err != nil {
		return nil, err
	}
	// The folder comes first: the file may lie in it.
	if err := c.choose(&all[0], flags, env, nil, ""); err != nil {
		return nil, err
	}
	if err := c.absolute(); err != nil {
		return nil, err
	}
	named := file != ""
	if !named {
		file = filepath.Join(c.Data, "parley.toml")
	}
	written, err := readFile(file, named, all)
	if err != nil {
		return nil, err
	}
	for i := range all[1:] {
		if err := c.choose(&all[i+1], flags, env, written, file); err != nil {
			return nil, err
		}
	}
	return c, c.Mail.Check()
}

func (c *Config) absolute() (err error) {
	c.Data, err = filepath.Abs(c.Data)
	return err
}

func knownNames(given map[string]string, all []setting) error {
	for _, name := range slices.Sorted(maps.Keys(given)) {
		if !slices.ContainsFunc(all, func(s setting) bool { return s.name == name }) {
			return fault.New(fault.Invalid, "There is no setting %q. \"parley config\" lists all settings.", name)
		}
	}
	return nil
}

// choose settles one setting.
func (c *Config) choose(s *setting, flags map[string]string, env func(string) (string, bool), written map[string]string, file string) error {
	v := said{s.usual, "usual"}
	if text, ok := written[s.name]; ok {
		v = said{text, file}
	}
	fromFile, inFile := env(s.env() + "_FILE")
	direct, inEnv := env(s.env())
	switch {
	case s.secret && inFile && inEnv:
		return fault.New(fault.Invalid, "Both %s and %s_FILE are set. Keep one of them.", s.env(), s.env())
	case s.secret && inFile:
		text, err := os.ReadFile(fromFile)
		if err != nil {
			return fault.Wrap(fault.Unavailable, err, "The file %s, named by %s_FILE, cannot be read. Check the path and who may read it.", fromFile, s.env())
		}
		v = said{strings.TrimSpace(string(text)), s.env() + "_FILE"}
	case inEnv:
		v = said{direct, s.env()}
	}
	if text, ok := flags[s.name]; ok {
		v = said{text, "flag"}
	}
	c.said[s.name] = v
	if err := s.set(c, v.text); err != nil {
		return fault.Wrap(fault.KindOf(err), err, "%s (It comes from %s.)", fault.Sentence(err), v.from)
	}
	return nil
}

// readFile reads the settings of a TOML file, by name. A file that nobody named need not be there.
func readFile(path string, named bool, all []setting) (map[string]string, error) {
	var tree map[string]any
	_, err := toml.DecodeFile(path, &tree)
	if errors.Is(err, fs.ErrNotExist) && !named {
		return nil, nil
	}
	if parse, ok := errors.AsType[toml.ParseError](err); ok {
		return nil, fault.Wrap(fault.Invalid, err, "The configuration file %s is not right in line %d: %s.", path, parse.Position.Line, parse.Message)
	}
	if err != nil {
		return nil, fault.Wrap(fault.Unavailable, err, "The configuration file %s cannot be read. Check the path and who may read it.", path)
	}
	out := map[string]string{}
	flatten("", tree, out)
	if _, ok := out["data"]; ok {
		return nil, fault.New(fault.Invalid, "The configuration file %s names the data folder, which is where it is looked for. Use --data or PARLEY_DATA instead.", path)
	}
	for _, name := range slices.Sorted(maps.Keys(out)) {
		if !slices.ContainsFunc(all, func(s setting) bool { return s.name == name }) {
			return nil, fault.New(fault.Invalid, "The configuration file %s has a setting %q that does not exist. \"parley config\" lists all settings.", path, name)
		}
	}
	return out, nil
}

func flatten(prefix string, tree map[string]any, into map[string]string) {
	for name, v := range tree {
		if sub, ok := v.(map[string]any); ok {
			flatten(prefix+name+".", sub, into)
			continue
		}
		into[prefix+name] = fmt.Sprint(v)
	}
}

// Line is one setting as "parley config" and "parley doctor" show it.
type Line struct {
	Name  string `json:"name"`
	Value string `json:"value"`
	From  string `json:"from"`
	About string `json:"about"`
}

// Lines lists all settings; secrets are not shown.
func (c *Config) Lines() []Line {
	var out []Line
	for _, s := range settings() {
		v := c.said[s.name]
		if s.secret && v.text != "" {
			v.text = "(set)"
		}
		out = append(out, Line{s.name, v.text, v.from, s.about})
	}
	return out
}
