//! An OpenLDAP of one's own for one test: unprivileged, on loopback, with a certificate, and gone afterwards. What it holds is
//! looked at with OpenLDAP's own tools.

use std::{
    fmt::Write as _,
    fs,
    net::{TcpListener, TcpStream},
    os::unix::{
        fs::{MetadataExt as _, chown},
        process::CommandExt as _,
    },
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicU16, Ordering},
    time::{Duration, Instant},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use provisioner::ldap::{Dialect, Password, Settings, below};
use uuid::Uuid;

pub const BASE: &str = "dc=contoso,dc=example";
pub const PEOPLE: &str = "ou=people,dc=contoso,dc=example";
pub const GROUPS: &str = "ou=groups,dc=contoso,dc=example";
/// May change members, and read everything.
pub const PORTAL: &str = "uid=portal,ou=services,dc=contoso,dc=example";
/// May read, in small portions.
pub const READER: &str = "uid=reader,ou=services,dc=contoso,dc=example";
/// May read groups, and no people.
pub const BLIND: &str = "uid=blind,ou=services,dc=contoso,dc=example";
/// The password of all of them.
pub const SECRET: &str = "a password for tests";
/// Stays in groups that may not be empty.
pub const PLACEHOLDER: &str = "cn=nobody,ou=services,dc=contoso,dc=example";

/// Nobody and nogroup, on every Linux.
const NOBODY: u32 = 65534;
/// Where the modules lie, which `.ci/setup/slapd` looks for.
const MODULES: [&str; 4] = [
    "/usr/lib/ldap",
    "/usr/lib64/openldap",
    "/usr/lib/openldap",
    "/usr/libexec/openldap",
];

/// Ports below 32768, which no outgoing connection takes. Processes begin apart.
static NEXT: AtomicU16 = AtomicU16::new(0);

/// A free port.
pub fn free_port() -> u16 {
    let start = (std::process::id() % 97) as u16 * 60;
    loop {
        let port = 21_000 + (start + NEXT.fetch_add(1, Ordering::Relaxed)) % 6_000;
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}

/// The id of the person with this number.
pub fn person_id(number: usize) -> Uuid {
    Uuid::from_u128(0x7000_0000 + number as u128)
}

/// The id of the group with this number.
pub fn group_id(number: usize) -> Uuid {
    Uuid::from_u128(0x9000_0000 + number as u128)
}

/// The name of the group with this number.
pub fn group_dn(number: usize) -> String {
    below("cn", &format!("group {number}"), GROUPS)
}

/// A server that runs.
#[derive(Debug)]
pub struct Slapd {
    dir: PathBuf,
    child: Option<Child>,
    pub port: u16,
    pub tls_port: u16,
}

impl Slapd {
    /// With these people, by uid, and three groups: two in which the placeholder is, and one in which only the first person is.
    pub fn start(uids: &[&str]) -> Self {
        static MADE: AtomicU16 = AtomicU16::new(0);
        let number = MADE.fetch_add(1, Ordering::Relaxed);
        let dir =
            std::env::temp_dir().join(format!("latchkey-slapd-{}-{number}", std::process::id()));
        fs::create_dir_all(dir.join("db")).unwrap();
        certify(&dir);
        fs::write(dir.join("slapd.conf"), configuration(&dir)).unwrap();
        fs::write(dir.join("base.ldif"), entries(uids)).unwrap();
        if root(&dir) {
            hand_over(&dir);
        }
        run(
            program("slapadd")
                .args(["-q", "-f"])
                .arg(dir.join("slapd.conf"))
                .arg("-l")
                .arg(dir.join("base.ldif")),
            &dir,
        );
        let mut slapd = Self {
            dir,
            child: None,
            port: free_port(),
            tls_port: free_port(),
        };
        slapd.go_on();
        slapd
    }

    /// Starts it where it was.
    pub fn go_on(&mut self) {
        let mut command = program("slapd");
        command
            .args(["-d", "0", "-f"])
            .arg(self.dir.join("slapd.conf"))
            .arg("-h")
            .arg(format!(
                "ldap://127.0.0.1:{} ldaps://127.0.0.1:{}",
                self.port, self.tls_port
            ))
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        if root(&self.dir) {
            command.uid(NOBODY).gid(NOBODY);
        }
        self.child = Some(command.spawn().expect("slapd starts"));
        let until = Instant::now() + Duration::from_secs(20);
        while TcpStream::connect(("127.0.0.1", self.tls_port)).is_err() {
            let ended = self
                .child
                .as_mut()
                .and_then(|child| child.try_wait().unwrap());
            assert!(
                ended.is_none() && Instant::now() < until,
                "slapd did not start: {ended:?}"
            );
            std::thread::park_timeout(Duration::from_millis(20));
        }
    }

    /// Stops it; what it holds stays.
    pub fn stop(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    /// How the portal is set up for it, with StartTLS.
    pub fn settings(&self) -> Settings {
        Settings {
            ca: Some(self.ca()),
            bind_dn: PORTAL.into(),
            password: Password::new(SECRET),
            people: PEOPLE.into(),
            groups: GROUPS.into(),
            connect: Duration::from_secs(5),
            request: Duration::from_secs(5),
            ..Settings::new(
                &format!("ldap://localhost:{}", self.port),
                Dialect::OpenLdap,
                BASE,
            )
        }
    }

    /// The certificate of the authority that signed the server's.
    pub fn ca(&self) -> String {
        fs::read_to_string(self.dir.join("ca.pem")).unwrap()
    }

    /// The values of an attribute of an entry, as the administrator sees them.
    pub fn values(&self, dn: &str, attribute: &str) -> Vec<String> {
        let mut command = program("ldapsearch");
        self.as_administrator(&mut command).args([
            "-LLL",
            "-o",
            "ldif-wrap=no",
            "-b",
            dn,
            "-s",
            "base",
            "(objectClass=*)",
            attribute,
        ]);
        let said = run(&mut command, &self.dir);
        let prefix = format!("{attribute}:");
        said.lines()
            .filter_map(|line| line.strip_prefix(&prefix))
            .map(|value| match value.strip_prefix(": ") {
                Some(encoded) => String::from_utf8(STANDARD.decode(encoded).unwrap()).unwrap(),
                None => value.trim_start().to_owned(),
            })
            .collect()
    }

    /// Changes entries as the administrator.
    pub fn change(&self, ldif: &str) {
        let file = self.dir.join("change.ldif");
        fs::write(&file, ldif).unwrap();
        let mut command = program("ldapmodify");
        self.as_administrator(&mut command).arg("-f").arg(file);
        run(&mut command, &self.dir);
    }

    fn as_administrator<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        command.args([
            "-x",
            "-H",
            &format!("ldap://127.0.0.1:{}", self.port),
            "-D",
            &format!("cn=admin,{BASE}"),
            "-w",
            SECRET,
        ])
    }
}

impl Drop for Slapd {
    fn drop(&mut self) {
        self.stop();
        let _ = fs::remove_dir_all(&self.dir);
    }
}

/// A program of OpenLDAP, which Debian keeps where not everybody looks.
fn program(name: &str) -> Command {
    let path = std::env::var("PATH").unwrap_or_default();
    let mut command = Command::new(name);
    command
        .env("PATH", format!("{path}:/usr/sbin:/usr/local/sbin"))
        .env("LDAPNOINIT", "1");
    // The program itself is looked for in the PATH that it is given, which is ours with those folders.
    let found = path
        .split(':')
        .chain(["/usr/sbin", "/usr/local/sbin"])
        .any(|folder| Path::new(folder).join(name).is_file());
    assert!(
        found,
        "{name} is not there: run `make test`, or `.ci/setup/slapd` first"
    );
    command
}

fn run(command: &mut Command, dir: &Path) -> String {
    if root(dir) && command.get_program() == "slapadd" {
        command.uid(NOBODY).gid(NOBODY);
    }
    let output = command.output().expect("it can be run");
    assert!(
        output.status.success(),
        "{command:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap()
}

/// Whether we are the administrator of the machine, whom slapd need not be.
fn root(dir: &Path) -> bool {
    fs::metadata(dir).unwrap().uid() == 0 || fs::metadata("/proc/self").unwrap().uid() == 0
}

fn hand_over(dir: &Path) {
    chown(dir, Some(NOBODY), Some(NOBODY)).unwrap();
    for entry in fs::read_dir(dir).unwrap() {
        chown(entry.unwrap().path(), Some(NOBODY), Some(NOBODY)).unwrap();
    }
}

/// An authority, and a certificate of it for this machine.
fn certify(dir: &Path) {
    let openssl = |arguments: &str| {
        let mut command = program("openssl");
        command.current_dir(dir).args(arguments.split(' '));
        run(&mut command, dir);
    };
    fs::write(dir.join("names"), "subjectAltName=DNS:localhost\n").unwrap();
    openssl(
        "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout ca.key -out ca.pem -days 3 -subj /CN=authority",
    );
    openssl(
        "req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout key.pem -out request.pem -subj /CN=localhost",
    );
    openssl(
        "x509 -req -in request.pem -CA ca.pem -CAkey ca.key -CAcreateserial -out cert.pem -days 3 -extfile names",
    );
}

fn configuration(dir: &Path) -> String {
    let dir = dir.display();
    let modules = MODULES
        .into_iter()
        .find(|folder| Path::new(folder).join("back_mdb.so").is_file())
        .expect("OpenLDAP's modules: run `.ci/setup/slapd` first");
    format!(
        r#"include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/nis.schema
include /etc/ldap/schema/inetorgperson.schema
modulepath {modules}
moduleload back_mdb
moduleload memberof
moduleload refint
moduleload ppolicy
TLSCertificateFile {dir}/cert.pem
TLSCertificateKeyFile {dir}/key.pem
sizelimit 500
database mdb
suffix "{BASE}"
rootdn "cn=admin,{BASE}"
rootpw "{SECRET}"
directory {dir}/db
maxsize 104857600
dbnosync
index objectClass,uid,member,memberOf,entryUUID eq
limits dn.exact="{PORTAL}" size.prtotal=unlimited
overlay memberof
overlay refint
refint_attributes member uniqueMember
overlay ppolicy
ppolicy_default "cn=policy,{BASE}"
access to attrs=userPassword by anonymous auth by * none
access to dn.subtree="{GROUPS}" attrs=member,uniqueMember
  by dn.exact="{PORTAL}" write by users read by * none
access to dn.subtree="{PEOPLE}" attrs=pwdAccountLockedTime,shadowExpire
  by dn.exact="{PORTAL}" write by users read by * none
access to dn.children="{PEOPLE}" by dn.exact="{BLIND}" none by users read by * none
access to * by users read by * none
"#
    )
}

fn entries(uids: &[&str]) -> String {
    let mut text = String::new();
    let mut entry = |dn: &str, id: Option<Uuid>, lines: &[(&str, &str)]| {
        writeln!(text, "dn:: {}", STANDARD.encode(dn)).unwrap();
        if let Some(id) = id {
            writeln!(text, "entryUUID: {id}").unwrap();
        }
        for (attribute, value) in lines {
            writeln!(text, "{attribute}:: {}", STANDARD.encode(value)).unwrap();
        }
        text.push('\n');
    };
    entry(
        BASE,
        None,
        &[
            ("objectClass", "dcObject"),
            ("objectClass", "organization"),
            ("o", "Contoso"),
            ("dc", "contoso"),
        ],
    );
    for unit in ["people", "groups", "services", "left"] {
        entry(
            &below("ou", unit, BASE),
            None,
            &[("objectClass", "organizationalUnit"), ("ou", unit)],
        );
    }
    entry(
        &format!("cn=policy,{BASE}"),
        None,
        &[
            ("objectClass", "device"),
            ("objectClass", "pwdPolicy"),
            ("cn", "policy"),
            ("pwdAttribute", "userPassword"),
            ("pwdLockout", "TRUE"),
        ],
    );
    entry(
        PLACEHOLDER,
        None,
        &[("objectClass", "organizationalRole"), ("cn", "nobody")],
    );
    for service in ["portal", "reader", "blind"] {
        entry(
            &below("uid", service, &below("ou", "services", BASE)),
            None,
            &[
                ("objectClass", "account"),
                ("objectClass", "simpleSecurityObject"),
                ("uid", service),
                ("userPassword", SECRET),
            ],
        );
    }
    for (number, uid) in uids.iter().enumerate() {
        entry(
            &below("uid", uid, PEOPLE),
            Some(person_id(number)),
            &[
                ("objectClass", "inetOrgPerson"),
                ("objectClass", "shadowAccount"),
                ("uid", uid),
                ("cn", uid),
                ("sn", uid),
                ("userPassword", SECRET),
            ],
        );
    }
    let first = below("uid", uids[0], PEOPLE);
    for (number, member) in [PLACEHOLDER, PLACEHOLDER, first.as_str()]
        .into_iter()
        .enumerate()
    {
        let name = format!("group {number}");
        entry(
            &group_dn(number),
            Some(group_id(number)),
            &[
                ("objectClass", "groupOfNames"),
                ("cn", &name),
                ("member", member),
            ],
        );
    }
    entry(
        &below("cn", "posix", GROUPS),
        Some(group_id(9)),
        &[
            ("objectClass", "posixGroup"),
            ("cn", "posix"),
            ("gidNumber", "1000"),
            ("memberUid", uids[0]),
        ],
    );
    text
}
