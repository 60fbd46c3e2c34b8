# SPDX-License-Identifier: BSD-2-Clause
"""Configurations for `-t`: what is wrong with each, and with which words and line both programs must say so.

A Fault's lines are put into the frame of commands.py at `where` ("whole": they are the whole file). In
`says`, {l1}, {l2} ... are the lines of the case, {end} and {mail_end} those that close the server and the
mail block. None: the configuration is good.
"""

from dataclasses import dataclass, field


@dataclass
class Fault:
    name: str
    where: str
    lines: str
    says: str = None          # nginx's words behind "[emerg] "
    postern: str = None       # postern's, where they differ
    because: str = None       # why
    files: dict = field(default_factory=dict)
    level: str = "emerg"
    late: bool = False        # said after "syntax is ok"
    postern_level: str = None


def at(message, line="l1"):
    """A message with its place."""
    return f"{message} in {{conf}}:{{{line}}}"


FAULTS = []


def add(name, where, lines, says=None, **more):
    FAULTS.append(Fault(name, where, lines, says, **more))


# --- the grammar -----------------------------------------------------------------------------------------

add("nothing wrong", "server", "")
add("comments", "server", "# a comment { ; }\n  #another")
add("hash inside a word", "server", "server_name a#b;")
add("brace behind a word", "whole",
    "events{} mail{auth_http 127.25.0.2:9;server{listen 127.25.0.1:10143;protocol imap;}}\n"
    "pid {dir}/run.pid;".replace("events", "load_module modules/ngx_mail_module.so; events"))
add("quoted words", "server", "\"server_name\" 'a b';\n'imap_auth' \"plain\";")
add("quoted over two lines", "server", "server_name \"a\nb\";")
add("empty argument", "server", "imap_capabilities \"\";")
add("escapes", "server", r"""imap_capabilities "a\"b" 'c\'d' e\;f g\\h "\t\r\n" \x;""")
add("dollar brace", "server", "server_name ${x}y;")
add("closing brace inside a word", "server", "server_name a}b;")
add("unknown directive", "server", "foo bar;", at('unknown directive "foo"'))
add("unknown directive on the third line", "server", "server_name x;\n\nfoo;",
    at('unknown directive "foo"', "l3"))
add("unknown block", "mail", "foo {\n}", at('unknown directive "foo"'))
add("unknown in main", "main", "foo;", at('unknown directive "foo"'))
add("unknown in events", "events", "foo;", at('unknown directive "foo"'))
add("wrong case", "server", "Protocol imap;", at('unknown directive "Protocol"'),
    postern=at('unknown directive "Protocol", did you mean "protocol"?'), because="suggestions")
for name, where, line, word in (
        ("listen in mail", "mail", "listen 143;", "listen"),
        ("protocol in mail", "mail", "protocol imap;", "protocol"),
        ("server in main", "main", "server { }", "server"),
        ("server in server", "server", "server { }", "server"),
        ("mail in mail", "mail", "mail { }", "mail"), ("events in mail", "mail", "events { }", "events"),
        ("auth_http in main", "main", "auth_http localhost;", "auth_http"),
        ("worker_processes in mail", "mail", "worker_processes 2;", "worker_processes"),
        ("worker_connections in main", "main", "worker_connections 2;", "worker_connections"),
        ("user in server", "server", "user nobody;", "user"), ("pid in server", "server", "pid x;", "pid"),
        ("load_module in mail", "mail", "load_module x;", "load_module")):
    add(f"not here: {name}", where, line, at(f'"{word}" directive is not allowed here'))
add("not terminated before the end of the block", "server", "server_name x", at('unexpected "}}"', "end"))
add("not terminated before a brace", "server", "server_name x {",
    at('directive "server_name" is not terminated by ";"'))
add("no opening", "mail", "server;", at('directive "server" has no opening "{{"'))
add("events without opening", "whole", "events;", at('directive "events" has no opening "{{"'))
for name, where, line, word in (
        ("too many", "server", "timeout 1s 2s;", "timeout"),
        ("too few", "server", "server_name;", "server_name"),
        ("none for a flag", "server", "xclient;", "xclient"),
        ("two for a flag", "server", "xclient on off;", "xclient"),
        ("block with an argument", "mail", "server x { }", "server"),
        ("none for a list", "server", "imap_auth;", "imap_auth"),
        ("listen without address", "server", "listen;", "listen"),
        ("auth_http_header with one", "server", "auth_http_header X;", "auth_http_header"),
        ("auth_http_header with three", "server", "auth_http_header X y z;", "auth_http_header"),
        ("user with three", "main", "user a b c;", "user")):
    add(f"number of arguments: {name}", where, line, at(f'invalid number of arguments in "{word}" directive'))
add("file ends in a directive", "whole",
    "load_module modules/ngx_mail_module.so;\nevents {}\nmail {\nserver_name",
    at('unexpected end of file, expecting ";" or "}}"', "l4"))
add("file ends in a block", "whole", "load_module modules/ngx_mail_module.so;\nevents {}\nmail {\n",
    at('unexpected end of file, expecting "}}"', "l4"))
add("file ends in quotes", "whole", "events {}\nerror_log \"x;\n",
    at('unexpected end of file, expecting ";" or "}}"', "l3"))
add("brace too many", "whole", "events {}\n}\n", at('unexpected "}}"', "l2"))
add("opening brace alone", "server", "{ }", at('unexpected "{{"'))
add("semicolon alone", "server", ";", at('unexpected ";"'))
add("semicolon twice", "server", "server_name x;;", at('unexpected ";"'))
add("text behind a quoted word", "server", 'server_name "a"b;', at('unexpected "b"'))
add("quote behind a quoted word", "server", "server_name \"a\"'b';", at("unexpected \"'\""))
add("word too long", "server", "server_name " + "x" * 5000 + ";",
    at('too long parameter "xxxxxxxxxx..." started'))
add("quoted word too long", "server", 'server_name "' + "x" * 5000 + '";',
    at('too long parameter, probably missing terminating """ character'))
add("quote never closed, long", "server", 'server_name "' + "x y\n" * 2000,
    at('too long parameter, probably missing terminating """ character'))
add("directive longer than the buffer", "server", "imap_capabilities " + "abcdefg " * 600 + ";", None)
add("log levels that are none", "server", "error_log a b c;", at('invalid log level "b"'))
add("no events", "whole", "error_log x;\n", 'no "events" section in configuration', late=True)
add("events twice", "whole", "events {}\nevents {}\n", at('"events" directive is duplicate', "l2"))
add("mail twice", "whole",
    "load_module modules/ngx_mail_module.so;\npid {dir}/run.pid;\nevents {}\nmail {}\nmail {}\n",
    at('"mail" directive is duplicate', "l5"))
add("mail empty", "whole",
    "load_module modules/ngx_mail_module.so;\npid {dir}/run.pid;\nevents {}\nmail {}\n")
add("empty file", "whole", "", 'no "events" section in configuration', late=True)
add("load_module too late", "whole", "events {}\nload_module modules/ngx_mail_module.so;\n",
    at('"load_module" directive is specified too late', "l2"))

# --- duplicates ------------------------------------------------------------------------------------------

for where, line in (
        ("server", "timeout 1s;"), ("server", "max_errors 3;"), ("server", "starttls on;"),
        ("server", "xclient on;"), ("server", "proxy on;"), ("server", "proxy_buffer 4k;"),
        ("server", "proxy_timeout 1s;"), ("server", "proxy_smtp_auth on;"),
        ("server", "proxy_protocol on;"), ("server", "proxy_pass_error_message on;"),
        ("server", "imap_client_buffer 4k;"),
        ("server", "smtp_client_buffer 4k;"), ("server", "smtp_greeting_delay 1s;"),
        ("server", "auth_http_timeout 1s;"),
        ("server", "auth_http_pass_client_cert on;"), ("server", "ssl_ciphers HIGH;"),
        ("server", "ssl_verify_depth 2;"),
        ("server", "ssl_session_timeout 5m;"), ("server", "ssl_prefer_server_ciphers on;"),
        ("server", "ssl_session_tickets on;"),
        ("server", "ssl_verify_client off;"), ("server", "ssl_ecdh_curve auto;"), 
        ("server", "ssl_crl x;"), ("server", "ssl_dhparam x;"), ("server", "ssl_client_certificate x;"),
        ("server", "ssl_trusted_certificate x;"), ("server", "resolver 127.0.0.1;"),
        ("server", "resolver_timeout 1s;"),
        ("mail", "timeout 1s;"), ("main", "worker_processes 1;"), ("main", "daemon on;"),
        ("main", "master_process on;"), ("main", "worker_priority 1;"), ("main", "worker_rlimit_nofile 100;"),
        ("main", "worker_rlimit_core 1m;"), ("main", "worker_shutdown_timeout 1s;"),
        ("main", "working_directory /;"),
        ("main", "user nobody nogroup;"), ("main", "lock_file x;"), ("main", "timer_resolution 1s;"),
        ("main", "debug_points stop;"), ("main", "pcre_jit on;"), ("events", "worker_connections 10;"),
        ("events", "use epoll;"),
        ("events", "multi_accept on;"), ("events", "accept_mutex on;"), ("events", "accept_mutex_delay 1s;")):
    word = line.split()[0]
    add(f"twice: {word} in {where}", where, f"{line}\n{line}", at(f'"{word}" directive is duplicate', "l2"))
for where, line in (
        ("server", "auth_http 127.25.0.2:9;"), ("server", "auth_http_header X y;"),
        ("server", "imap_capabilities X;"),
        ("server", "imap_auth plain;\nimap_auth login;\nimap_auth cram-md5;"), ("server", "error_log x;"),
        ("server", "set_real_ip_from 10.0.0.0/8;"), ("mail", "error_log x;"), ("main", "error_log x;"),
        ("main", "env X;"),
        ("events", "debug_connection 127.0.0.1;"), ("server", "ssl_conf_command Options x;")):
    add(f"twice is fine: {line.split()[0]} in {where}", where, line if "\n" in line else f"{line}\n{line}")

add("two server names", "server", "server_name a b;",
    at('invalid number of arguments in "server_name" directive'), postern="",
    because="server-names")
add("twice: server_name", "server", "server_name a;\nserver_name b;",
    at('"server_name" directive is duplicate', "l2"), postern="",
    because="server-names")
add("twice: ssl_session_cache", "server", "ssl_session_cache none;\nssl_session_cache none;",
    postern=at('"ssl_session_cache" directive is duplicate', "l2"), because="stricter")

# --- values ----------------------------------------------------------------------------------------------

for word in ("xclient", "proxy_smtp_auth", "proxy_pass_error_message", "auth_http_pass_client_cert",
             "ssl_session_tickets",
             "ssl_prefer_server_ciphers"):
    for value in ("yes", "1", "\"\""):
        add(f"flag {word} {value}", "server", f"{word} {value};",
            at(f'invalid value "{value.strip(chr(34))}" in "{word}" directive, it must be "on" or "off"'))
    add(f"flag {word} in capitals", "server", f"{word} OFF;")
for value in ("0", "10"):
    add(f"size {value}", "server", f"imap_client_buffer {value};",
        postern=at("value must be between 32 and 1048576"), because="stricter")
for value in ("100", "2x", "-1", "1g", "k", "1kk", "99999999999999999999", "1K", "1M", "\"\""):
    add(f"size {value}", "server", f"imap_client_buffer {value};", None if value in ("100", "1K", "1M") else
        at('"imap_client_buffer" directive invalid value'))
for value in ("1", "1s", "1ms", "1m", "1h", "1d", "1w", "\"1h 30m\"", "1h30m", "\"1d 1h 1m 1s 1ms\"", "0",
              "1s1"):
    add(f"time {value}", "server", f"timeout {value};")
for value in ("1y", "1M", "1x", "x", "-1", "1.5", "1ms1s", "\"1m 1h\"", "\"\"", "99999999999999999999",
              "\" 1s\""):
    add(f"time {value}", "server", f"timeout {value};", at('"timeout" directive invalid value'))
for value in ("1y", "1M", "1d", "\"1y 1M 1w 1d 1h 1m 1s\"", "5"):
    add(f"seconds {value}", "server", f"ssl_session_timeout {value};")
for value in ("1ms", "1x", "x", "-1"):
    add(f"seconds {value}", "server", f"ssl_session_timeout {value};",
        at('"ssl_session_timeout" directive invalid value'))
for value in ("0", "1", "99"):
    add(f"number {value}", "server", f"max_errors {value};")
for value in ("x", "-1", "1k", "1.0", "\"\"", "99999999999999999999"):
    add(f"number {value}", "server", f"max_errors {value};", at('"max_errors" directive invalid number'))
for word, value in (("imap_auth", "foo"), ("pop3_auth", "login"), ("smtp_auth", "apop"),
                    ("imap_auth", "none"), ("ssl_protocols", "TLSv2"),
                    ("starttls", "yes"), ("ssl_verify_client", "maybe"), ("imap_auth", "plain foo")):
    add(f"choice {word} {value}", "server", f"{word} {value};", at(f'invalid value "{value.split()[-1]}"'))
add("choice proxy_protocol yes", "server", "proxy_protocol yes;",
    at('invalid value "yes" in "proxy_protocol" directive, it must be "on" or "off"'),
    postern=at('invalid value "yes"'), because="newer-texts")
add("choice in capitals", "server", "imap_auth PLAIN Cram-MD5;\nstarttls OFF;\nssl_protocols tlsv1.2;")
add("choice repeated", "server", "imap_auth plain plain;", at('duplicate value "plain"'), level="warn")
for value in ("imap", "pop3", "smtp"):
    add(f"protocol {value}", "whole",
        "load_module modules/ngx_mail_module.so;\npid {dir}/run.pid;\nevents {}\n"
        f"mail {{\nauth_http 127.25.0.2:9;\nserver {{ listen 127.25.0.1:10143; protocol {value}; }}\n}}\n")
for value in ("IMAP", "http", "sieve", "\"\""):
    value_said = value.strip('"')
    add(f"protocol {value}", "whole", "load_module modules/ngx_mail_module.so;\nevents {}\n"
        f"mail {{\nauth_http 127.25.0.2:9;\nserver {{ listen 127.25.0.1:10143; protocol {value}; }}\n}}\n",
        at(f'unknown protocol "{value_said}"', "l5"))

# --- servers ---------------------------------------------------------------------------------------------

HEAD = "load_module modules/ngx_mail_module.so;\npid {dir}/run.pid;\nevents {}\nmail {\n"
add("no listen", "whole", HEAD + "auth_http 127.25.0.2:9;\nserver {\nprotocol imap;\n}\n}\n",
    at('no "listen" is defined for server', "l6"))
add("no auth_http", "whole", HEAD + "server {\nlisten 127.25.0.1:10143;\nprotocol imap;\n}\n}\n",
    at('no "auth_http" is defined for server', "l5"),
    postern=at('no "auth_http" is defined for server, nor another source of users, nor "proxy_pass"', "l5"),
    because="other-sources")
add("no protocol", "whole", HEAD + "auth_http 127.25.0.2:9;\nserver {\nlisten 127.25.0.1:10143;\n}\n}\n",
    at("unknown mail protocol for server", "l6"))
for port, word in ((110, "pop3"), (995, "pop3"), (143, "imap"), (993, "imap"), (25, "smtp"), (465, "smtp"),
                   (587, "smtp")):
    add(f"protocol from port {port}", "whole",
        HEAD + f"auth_http 127.25.0.2:9;\nserver {{ listen 127.25.0.1:{port}; }}\n}}\n")
add("the same address twice", "whole", HEAD + "auth_http 127.25.0.2:9;\nserver { listen 127.25.0.1:143; }\n"
    "server { listen 127.25.0.1:143; }\n}\n", at('duplicate "127.25.0.1:143" address and port pair', "l7"))
add("the same address twice in one server", "server", "listen 127.25.0.1:10143;",
    at('duplicate "127.25.0.1:10143" address and port pair'))
add("the same port, other address", "server", "listen 127.25.0.3:10143;")
add("wildcard and address", "server", "listen 10144;\nlisten 127.25.0.1:10144;")

for address, message in {
        "127.25.0.1:0": "invalid port", "127.25.0.1:65536": "invalid port", "127.25.0.1:x": "invalid port",
        "127.25.0.1:": "invalid port", "127.25.0.1:-1": "invalid port", ":143": "no host",
        "99999": "invalid port", "0": "invalid port",
        "[::1]:x": "invalid port", "[::1:143": "invalid host", "[::x]:143": "invalid IPv6 address",
        "[]:143": "no host", "unix:": "no path in the unix domain socket",
        "unix:/" + "x" * 120: "too long path in the unix domain socket",
        "110-109": "invalid port range",  "0-5": "invalid port", "127.0.0.1:5-3": "invalid port range",
        "no.such.host.invalid:143": "host not found"}.items():
    add(f"listen {address[:30]}", "server", f"listen {address};",
        at(f'{message} in "{address}" of the "listen" directive'))
add("listen 110-x", "server", "listen 110-x;", at('host not found in "110-x" of the "listen" directive'),
    postern=at('invalid port range in "110-x" of the "listen" directive'), because="newer-texts")
for address in ("10150-10152", "*:10153", "127.25.0.1:10154-10155", "[::1]:10156", "[::]:10157",
                "localhost:10158", "unix:{dir}/s.sock",
                "*:10159-10160"):
    add(f"listen {address}", "server", f"listen {address};")
for parameters in ("bind", "backlog=10", "rcvbuf=16k", "sndbuf=1m", "so_keepalive=on", "so_keepalive=off",
                   "so_keepalive=30m::10",
                   "so_keepalive=:1m:", "so_keepalive=1h:10s:5", "proxy_protocol",
                   "bind backlog=5 rcvbuf=8k proxy_protocol"):
    add(f"listen with {parameters}", "server", f"listen 127.25.0.1:10161 {parameters};")
for parameters in ("ipv6only=on", "ipv6only=off"):
    add(f"listen with {parameters}", "server", f"listen [::1]:10162 {parameters};")
for parameter, message in {
        "backlog=0": 'invalid backlog "backlog=0"', "backlog=x": 'invalid backlog "backlog=x"',
        "backlog=": 'invalid backlog "backlog="',
        "backlog=-1": 'invalid backlog "backlog=-1"', "rcvbuf=x": 'invalid rcvbuf "rcvbuf=x"',
        "rcvbuf=": 'invalid rcvbuf "rcvbuf="',
        "sndbuf=1g": 'invalid sndbuf "sndbuf=1g"', "so_keepalive=": 'invalid so_keepalive value: ""',
        "so_keepalive=::": 'invalid so_keepalive value: "::"',
        "so_keepalive=x": 'invalid so_keepalive value: "x"',
        "so_keepalive=1:2:3:4": 'invalid so_keepalive value: "1:2:3:4"'}.items():
    add(f"listen with {parameter}", "server", f"listen 127.25.0.1:10163 {parameter};", at(message))
for parameter in ("ssl=on", "reuseport", "deferred", "fastopen=3", "default_server", "udp", "setfib=1", "foo",
                  "http2", "SSL"):
    add(f"listen with {parameter}", "server", f"listen 127.25.0.1:10163 {parameter};",
        at(f'the invalid "{parameter}" parameter'),
        postern=at(f'invalid parameter "{parameter}"'), because="newer-texts")
add("listen with ipv6only=x", "server", "listen [::1]:10164 ipv6only=x;",
    at('the invalid "ipv6only=x" parameter'),
    postern=at('invalid ipv6only flags "x"'), because="newer-texts")
add("listen with ipv6only on IPv4", "server", "listen 127.25.0.1:10164 ipv6only=on;")

# --- auth_http -------------------------------------------------------------------------------------------

for url, message in {"127.0.0.1:x/": "invalid port",
                     "127.0.0.1:0": "invalid port",
                     "127.0.0.1:65536": "invalid port", "http://": "no host", "http://:80/": "no host",
                     "http:///x": "no host",
                     "unix:": "no path in the unix domain socket", "no.such.host.invalid": "host not found",
                     "[::1": "invalid host",
                     "http://no.such.host.invalid:80/x": "host not found",
                     "[::x]:80/": "invalid IPv6 address"}.items():
    add(f"auth_http {url}", "server", f'auth_http "{url}";',
        at(f'{message} in auth_http "{url.removeprefix("http://")}"'))
add("auth_http over TLS", "server", 'auth_http https://127.0.0.1/;',
    at('invalid port in auth_http "https://127.0.0.1/"'), postern="", because="auth-https")
for url in ("127.0.0.1", "127.0.0.1/", "localhost:9000/x?y", "http://127.0.0.1:80", "http://localhost/auth",
            "[::1]:80/x", "unix:/tmp/x",
            "unix:/tmp/x:/y", "http://unix:/tmp/x:/y"):
    add(f"auth_http {url}", "server", f'auth_http "{url}";')

# --- TLS -------------------------------------------------------------------------------------------------

for mode, line in (("listen ... ssl", "listen 127.25.0.1:10165 ssl;"), ("starttls", "starttls on;")):
    add(f"{mode}: no certificate", "server", line,
        at(f'no "ssl_certificate" is defined for the "{mode}" directive'))
    add(f"{mode}: no key", "server", f"{line}\nssl_certificate {{certs}}/mail.example.crt;",
        at(f'no "ssl_certificate_key" is defined for the "{mode}" directive'))
    add(f"{mode}: fewer keys", "server",
        f"{line}\nssl_certificate {{certs}}/mail.example.crt;\nssl_certificate {{certs}}/ca.crt;\n"
        f"ssl_certificate_key {{certs}}/mail.example.key;",
        at(f'no "ssl_certificate_key" is defined for certificate "{{certs}}/ca.crt" and the "{mode}" directive'))
    add(f"{mode}: good", "server",
        f"{line}\nssl_certificate {{certs}}/mail.example.crt;\nssl_certificate_key {{certs}}/mail.example.key;")
PAIR = "ssl_certificate {certs}/mail.example.crt;\nssl_certificate_key {certs}/mail.example.key;\n"
add("certificate without use", "server", "ssl_certificate /nonexistent;\nssl_certificate_key /nonexistent;")
add("starttls only without certificate", "server", "starttls only;",
    at('no "ssl_certificate" is defined for the "starttls" directive'))
for value, message in {"foo": 'invalid session cache "foo"', "shared": 'invalid session cache "shared"',
                       "shared:": 'invalid session cache "shared:"',
                       "shared:x": 'invalid session cache "shared:x"',
                       "shared:x:": 'invalid session cache "shared:x:"',
                       "shared:x:y": 'invalid session cache "shared:x:y"',
                       "shared:x:1k": 'session cache "shared:x:1k" is too small',
                       "shared::1m": None, "builtin:x": 'invalid session cache "builtin:x"',
                       "builtin:": 'invalid session cache "builtin:"',
                       "builtin:0": None}.items():
    if message:
        add(f"session cache {value}", "server", f"ssl_session_cache {value};", at(message))
for value in ("off", "none", "builtin", "builtin:100", "shared:y:1m", "builtin shared:z:1m"):
    add(f"session cache {value}", "server", f"ssl_session_cache {value};")
add("session cache of two sizes", "server",
    "ssl_session_cache shared:w:1m;\n} server { listen 127.25.0.1:10167; protocol imap;\n"
    "ssl_session_cache shared:w:2m;",
    at('the size 2097152 of shared memory zone "w" conflicts with already declared size 1048576', "l3"))
add("verify without authority", "server", PAIR + "starttls on;\nssl_verify_client on;",
    "no ssl_client_certificate for ssl_verify_client",
    postern="*no ssl_client_certificate or ssl_trusted_certificate for ssl_verify_client in {conf}:",
    because="newer-texts")
add("ciphers", "server", PAIR + "starttls on;\nssl_ciphers NONSENSE;", "*SSL_CTX_set_cipher_list")
add("curves", "server", PAIR + "starttls on;\nssl_ecdh_curve nonsense;", "*SSL_CTX_set1_curves_list")
add("missing certificate", "server",
    "starttls on;\nssl_certificate /nonexistent.crt;\nssl_certificate_key /nonexistent.key;",
    '*cannot load certificate "/nonexistent.crt": BIO_new_file() failed', because="file-errors",
    postern=at('cannot load certificate "/nonexistent.crt": open() failed (2: No such file or directory)',
               "l2"))
add("missing key", "server",
    "starttls on;\nssl_certificate {certs}/mail.example.crt;\nssl_certificate_key /nonexistent.key;",
    '*cannot load certificate key "/nonexistent.key": BIO_new_file() failed', because="file-errors",
    postern=at('cannot load certificate key "/nonexistent.key": open() failed (2: No such file or directory)',
               "l3"))
add("key of another certificate", "server", "starttls on;\nssl_certificate {certs}/mail.example.crt;\n"
    "ssl_certificate_key {certs}/client-good.key;",
    '*SSL_CTX_use_PrivateKey("{certs}/client-good.key") failed')
add("certificate that is none", "server",
    "starttls on;\nssl_certificate {certs}/mail.example.key;\nssl_certificate_key {certs}/mail.example.key;",
    '*cannot load certificate "{certs}/mail.example.key": PEM_read_bio_X509_AUX() failed')
NONE = "open() failed (2: No such file or directory)"
add("missing dhparam", "server", PAIR + "starttls on;\nssl_dhparam /nonexistent;",
    '*BIO_new_file("/nonexistent") failed',
    postern=at(f'cannot load DH parameters "/nonexistent": {NONE}', "l4"), because="file-errors")
add("missing client certificate", "server",
    PAIR + "starttls on;\nssl_verify_client on;\nssl_client_certificate /nonexistent;",
    '*SSL_CTX_load_verify_locations("/nonexistent") failed',
    postern=at(f'cannot load certificate "/nonexistent": {NONE}', "l5"), because="file-errors")
add("missing revocations", "server",
    PAIR + "starttls on;\nssl_verify_client on;\nssl_client_certificate {certs}/ca.crt;\nssl_crl /nonexistent;",
    '*X509_LOOKUP_load_file("/nonexistent") failed',
    postern=at(f'cannot load revocation list "/nonexistent": {NONE}', "l6"), because="file-errors")
add("missing password file", "server", "ssl_password_file /nonexistent;",
    at('open() "/nonexistent" failed (2: No such file or directory)'), postern="", because="file-errors")
add("missing ticket key", "server", PAIR + "starttls on;\nssl_session_ticket_key /nonexistent;",
    at('open() "/nonexistent" failed (2: No such file or directory)', "mail_end"),
    postern=at(f'cannot load session ticket key "/nonexistent": {NONE}', "l4"), because="file-errors")
add("ticket key of a wrong size", "server", PAIR + "starttls on;\nssl_session_ticket_key {dir}/ticket;",
    at('"{dir}/ticket" must be 48 or 80 bytes', "mail_end"),
    postern=at('"{dir}/ticket" must be 48 or 80 bytes', "l4"),
    because="file-errors", files={"ticket": "short"})
add("configuration command unknown", "server", PAIR + "starttls on;\nssl_conf_command Nonsense x;",
    '*SSL_CONF_cmd("Nonsense", "x") failed')
add("configuration command bad value", "server", PAIR + "starttls on;\nssl_conf_command Protocol Nonsense;",
    '*SSL_CONF_cmd("Protocol", "Nonsense") failed')

# --- resolver, real ip -----------------------------------------------------------------------------------

for line, message in {
        "resolver x.invalid": 'host not found in resolver "x.invalid"',
        "resolver 127.0.0.1:x": 'invalid port in resolver "127.0.0.1:x"',
        "resolver 127.0.0.1 foo=1": 'host not found in resolver "foo=1"',
        "resolver 127.0.0.1 valid=x": "invalid parameter: valid=x",
        "resolver 127.0.0.1 ipv6=x": "invalid parameter: ipv6=x",
        "resolver valid=1s": "no name servers defined"}.items():
    add(line, "server", line + ";", at(message))
for line in ("resolver 127.0.0.1", "resolver 127.0.0.1:5353 [::1]:53 valid=30s ipv6=off",
             "resolver localhost", "resolver off"):
    add(line, "server", line + ";")
for value, message in {"x": 'host not found in set_real_ip_from "x"',
                       "1.2.3.4/33": 'host not found in set_real_ip_from "1.2.3.4/33"',
                       "1.2.3.4/x": 'host not found in set_real_ip_from "1.2.3.4/x"',
                       "::1/129": 'host not found in set_real_ip_from "::1/129"'}.items():
    add(f"set_real_ip_from {value}", "server", f"set_real_ip_from {value};", at(message))
for value in ("10.0.0.0/8", "::1", "2001:db8::/32", "unix:", "localhost", "0.0.0.0/0"):
    add(f"set_real_ip_from {value}", "server", f"set_real_ip_from {value};")
add("set_real_ip_from with low bits", "server", "set_real_ip_from 10.1.2.3/8;",
    at('low address bits of 10.1.2.3/8 are meaningless'), level="warn")

# --- core ------------------------------------------------------------------------------------------------

for line, message in {
        "worker_processes x": '"worker_processes" directive invalid value',
        "worker_processes -1": '"worker_processes" directive invalid value',
        "worker_priority x": '"worker_priority" directive invalid number',
        "worker_cpu_affinity 12": 'invalid character "2" in "worker_cpu_affinity"',
        "worker_rlimit_nofile x": '"worker_rlimit_nofile" directive invalid number',
        "worker_rlimit_core x": '"worker_rlimit_core" directive invalid value',
        "worker_shutdown_timeout x": '"worker_shutdown_timeout" directive invalid value',
        "debug_points x": 'invalid value "x"',
        "daemon x": 'invalid value "x" in "daemon" directive, it must be "on" or "off"',
        "error_log x foo": 'invalid log level "foo"',
        "error_log x INFO": 'invalid log level "INFO"',
        "error_log syslog:foo=1": 'unknown syslog parameter "foo=1"',
        "error_log syslog:server=127.0.0.1,facility=x": 'unknown syslog facility "x"',
        "error_log syslog:server=127.0.0.1,severity=x": 'unknown syslog severity "x"',
        "error_log syslog:server=127.0.0.1,tag=" + "x" * 33: "syslog tag length exceeds 32",
        "error_log syslog:server=127.0.0.1,tag=a-b": 'syslog "tag" only allows alphanumeric characters and underscore',
        "error_log syslog:server=127.0.0.1,server=127.0.0.2": 'duplicate syslog "server"',
        "error_log syslog:server=x.invalid": 'host not found in syslog server "x.invalid"',
        "error_log syslog:server=127.0.0.1:x": 'invalid port in syslog server "127.0.0.1:x"',
        "error_log syslog:": 'unknown syslog parameter ""',
        "user no-such-user": 'getpwnam("no-such-user") failed',
        "user nobody": 'getgrnam("nobody") failed',
        "user nobody no-such-group": 'getgrnam("no-such-group") failed'}.items():
    add(line[:50], "main", line + ";", at(message) if "failed" not in message else "*" + message)
for line in ("worker_processes auto", "worker_processes 4", "worker_priority -5", "worker_priority +5",
             "worker_cpu_affinity auto",
             "worker_cpu_affinity auto 0101", "worker_rlimit_nofile 4096", "worker_rlimit_core 1g",
             "worker_shutdown_timeout 10s", "working_directory /tmp", "env X", "env X=y", "daemon off",
             "master_process off", "pcre_jit on",
             "timer_resolution 100ms", "debug_points abort", "lock_file {dir}/l",
             "error_log {dir}/x debug_mail", "error_log stderr crit",
             "error_log syslog:server=127.0.0.1:514,facility=mail,severity=notice,tag=my_tag,nohostname info",
             "error_log syslog:server=unix:/dev/log", "error_log {dir}/x notice", "thread_pool x threads=2",
             "user nobody nogroup"):
    add(line[:50], "main", line + ";")
add("fewer processes than masks", "main", "worker_cpu_affinity 01 10;",
    'the number of "worker_processes" is not equal to the number of "worker_cpu_affinity" masks, '
    "using last mask for remaining worker processes", level="warn", late=True)
for line, message in {"use foo": 'invalid event type "foo"', "use poll": 'invalid event type "poll"',
                      "worker_connections x": 'invalid number "x"',
                      "multi_accept x": 'invalid value "x" in "multi_accept" directive, it must be "on" or "off"',
                      "accept_mutex_delay x": '"accept_mutex_delay" directive invalid value',
                      "debug_connection x.invalid": '*host not found in debug_connection "x.invalid"'}.items():
    add(line, "events", line + ";", message if message.startswith("*") else at(message))
for line in ("worker_connections 1024", "use epoll", "multi_accept on", "accept_mutex on",
             "accept_mutex_delay 100ms",
             "debug_connection 127.0.0.1", "debug_connection 10.0.0.0/8", "debug_connection unix:",
             "worker_aio_requests 64",
             "epoll_events 100"):
    add(f"events: {line}", "events", line + ";")

# --- include ---------------------------------------------------------------------------------------------

add("include", "server", "include part.conf;", files={"part.conf": "server_name x;\n"})
add("include nothing", "server", "include none-*.conf;")
add("include a missing file", "server", "include missing.conf;",
    at('open() "{dir}/missing.conf" failed (2: No such file or directory)'))
add("include by pattern", "server", "include part-?.conf;",
    files={"part-b.conf": "xclient on;\n", "part-a.conf": "server_name x;\n"})
add("fault in an included file", "server", "include part.conf;",
    'unknown directive "foo" in {dir}/part.conf:2',
    files={"part.conf": "server_name x;\nfoo;\n"})
add("included file ends early", "server", "include part.conf;",
    'unexpected end of file, expecting ";" or "}}" in {dir}/part.conf:1',
    files={"part.conf": "server_name"})
add("included file closes a block", "server", "include part.conf;", 'unexpected "}}" in {dir}/part.conf:1',
    files={"part.conf": "}"})
add("include without a file", "server", "include;", at('invalid number of arguments in "include" directive'))
add("include of a folder of files", "mail", "include servers/*.conf;",
    files={"servers/a.conf": "server { listen 127.25.0.1:10170; protocol imap; }\n"})

# --- blocks of others ------------------------------------------------------------------------------------

add("removed directives", "server",
    "ssl on;\nssl_certificate {certs}/mail.example.crt;\nssl_certificate_key {certs}/mail.example.key;",
    at('the "ssl" directive is deprecated, use the "listen ... ssl" directive instead'), level="warn",
    postern=at('"ssl" directive is not allowed here'), because="newer-texts", postern_level="emerg")
add("allow", "server", "allow 127.0.0.1;", at('"allow" directive is not allowed here'), postern="",
    because="allow-deny")
for where, line, says in (
        ("server", "pop3_client_buffer 4k;", 'unknown directive "pop3_client_buffer"'),
        ("server", "max_commands 100;", 'unknown directive "max_commands"'),
        ("server", "proxy_protocol v2;",
         'invalid value "v2" in "proxy_protocol" directive, it must be "on" or "off"'),
        ("server", "imap_auth xoauth2 oauthbearer;", 'invalid value "xoauth2"'),
        ("server", "ssl_certificate_compression off;", 'unknown directive "ssl_certificate_compression"'),
        ("server", "resolver 127.0.0.1 ipv4=off;", 'host not found in resolver "ipv4=off"'),
        ("server", "listen 127.25.0.1:10171 multipath;", 'the invalid "multipath" parameter'),
        ("main", "ssl_object_cache_inheritable on;", 'unknown directive "ssl_object_cache_inheritable"')):
    add(f"new: {line}", where, line, at(says), postern="", because="new-directives")
