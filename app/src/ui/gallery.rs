//! Every component in its states on one page, to be looked at.

use chrono::{DateTime, Duration, Utc};
use leptos::prelude::*;

use crate::ui::*;

const LONG: &str = "Enterprise Resource Planning Consolidation Workbench for Intercompany Reconciliation and Elimination, read-only (EMEA)";

/// All of it, as if it were `now`.
pub fn gallery(now: DateTime<Utc>) -> impl IntoView {
    view! {
        <PageHead title="Gallery" lead="Every component in its states. Two things wait for you; one access ends today." crumbs=vec![crumb("Trial", "/trial"), here("Gallery")]>
            <Badge state=State::Waiting words="waiting for security"/><LinkButton href="/gallery">"Reload"</LinkButton>
        </PageHead>
        <div class="two">
            <div class="stack stack-4">{waiting(now)}{requests()}{happens(now)}{decision()}</div>
            <div class="stack stack-4">{access(now)}{facts(now)}{risk()}{lives(now)}</div>
        </div>
        {packages()}
        {table(now)}
        {marks()}
        {notes()}
        {form()}
        {empties()}
        <Pager previous="/gallery" next="/gallery"/>
    }
}

fn waiting(now: DateTime<Utc>) -> AnyView {
    let all = view! { <a class="link small" href="/approvals">"All 5 decisions"</a> }.into_any();
    view! {
        <Card title="Waiting for you" aside=all live="waiting" version="1"><Rows>
            <Row href="/approvals/1" title="Johan Nyberg asks for Production database, read" detail="8 hours · “Incident 4312, order totals are wrong since 06:40”" mark=avatar("Johan Nyberg")><Badge state=State::Waiting words="waiting 12 min"/></Row>
            <Row href="/approvals/2" title="Maya Rao asks for Figma, editor" detail="until 31 March · new in your team since Monday" mark=avatar("Maya Rao")><Badge state=State::Waiting words="waiting 3 h"/></Row>
            <Row href="/approvals/3" title=format!("Wolfeschlegelsteinhausenbergerdorff-Featherstonehaugh asks for {LONG}") detail="ends 31 December" mark=avatar("Wolfe Featherstonehaugh")><Moment at=now - Duration::days(2) now=now/></Row>
            <Row href="/approvals/4" title="محمد الأحمد يطلب الوصول" detail="لمدة ٨ ساعات" mark=avatar("محمد الأحمد")><Badge state=State::Waiting/></Row>
        </Rows></Card>
    }
    .into_any()
}

fn avatar(name: &'static str) -> AnyView {
    view! { <Avatar name=name/> }.into_any()
}

fn tile(name: &'static str) -> AnyView {
    view! { <Tile name=name/> }.into_any()
}

fn requests() -> AnyView {
    view! {
        <Card title="Your requests"><Rows>
            <Row href="/requests/1" title="Salesforce, forecast viewer" detail="Security decides next: Elin Berg or Tomas Ek" mark=tile("Salesforce")><Badge state=State::Waiting/></Row>
            <Row href="/requests/2" title="Azure cost reports" detail="Approved at 10:02, the group is being changed" mark=tile("Azure costs")><Badge state=State::SettingUp/></Row>
        </Rows></Card>
    }
    .into_any()
}

fn happens(now: DateTime<Utc>) -> AnyView {
    let at = move |minutes| view! { <Moment at=now - Duration::minutes(minutes) now=now say=Say::Clock/> };
    let aside =
        view! { <span class="small dimmer only-alive">"refreshes by itself"</span> }.into_any();
    let steps = vec![
        Step::new(Stand::Done, "Asked").when(at(48)).detail("“Incident 4312, order totals are wrong since 06:40”"),
        Step::new(Stand::Done, "Checked").when(at(48)).detail("Eligible (Engineering, employee). No conflict. It opens customer data: security decides too."),
        Step::new(Stand::Done, "Astrid Lindqvist, manager, approved").when(at(36)).detail("after 12 minutes · “Go, keep it to the orders schema”"),
        Step::new(Stand::Now, "Security decides").when("for 4 min").detail("Elin Berg or Tomas Ek, one is enough. Usually 20 minutes.").extra(view! {
            <div class="btns"><PostButton action="/gallery" small=true>"Nudge"</PostButton><Button look=Look::Quiet small=true>"Ask or answer"</Button></div>
        }),
        Step::new(Stand::Work, "Being set up in Entra ID").when(at(2)),
        Step::new(Stand::Bad, "The target refused").when(at(1)).detail("The group is synchronised from on-premises and cannot be changed there."),
        Step::new(Stand::Next, "Set up in Entra ID, then ready").detail("1 group, about 30 seconds"),
        Step::new(Stand::Off, "Ended").detail("removed and confirmed at the target"),
    ];
    view! { <Card title="What happens" aside=aside><Body><Timeline steps=steps/></Body></Card> }
        .into_any()
}

fn decision() -> AnyView {
    view! {
        <Card title="A decision">
            <Body>
                <Quote words="Incident 4312, order totals are wrong since 06:40.\nI need to compare ledger rows."/>
                <div class="stack"><h3>"What changes"</h3><Delta changes=vec![
                    Change::Plus("reads every row of orders-prod, customer names and addresses included".into()),
                    Change::Plus("member of sg-prod-orders-ro in Entra ID, for 8 hours".into()),
                    Change::Minus("member of sg-prod-orders-rw in Entra ID".into()),
                    Change::Same("nothing else; ends by itself, confirmed at the target".into()),
                ]/></div>
                <Note tone=Tone::Wait title="He also holds Refund approval.">"Reading orders and approving refunds together is watched, not forbidden."</Note>
                <Facts items=vec![fact("Held by his team", "3 of 9, each for hours at a time"), fact("He has had it", "twice in 12 months, given back early both times"), fact("Others with it now", "2 people")]/>
            </Body>
            <form class="decide" method="post" action="/gallery">
                <Button look=Look::Primary name="choice" value="approve" key="a">"Approve for 8 hours"</Button>
                <Ask summary="For less" key="l"><TextField name="less" label="Hours" kind="number" value="4" required=true/><Button>"Approve for less"</Button></Ask>
                <span class="grow"></span>
                <Ask summary="Deny" look=Look::Danger key="d"><TextArea name="why" label="Why not" hint="Johan reads this." required=true/><Button look=Look::DangerSure>"Deny"</Button></Ask>
            </form>
        </Card>
    }
    .into_any()
}

fn access(now: DateTime<Utc>) -> AnyView {
    let held = move |name: &'static str, ends: &'static str, start: i64, end: i64| {
        view! {
            <div class="stack stack-3" role="listitem">
                <div class="bar"><div class="grow"><h3>{name}</h3><p class="small dim">{ends}</p></div><LinkButton href="/access" small=true label=format!("Extend {name}")>"Extend"</LinkButton></div>
                <Life start=now - Duration::hours(start) end=Some(now + Duration::hours(end)) now=now/>
            </div>
        }
    };
    let aside = view! { <span class="small dimmer num">"14 held"</span> }.into_any();
    view! {
        <Card title="Your access" aside=aside><Rows>
            {held("Payroll export", "ends today at 17:00", 114, 6)}
            {held("Jira, project admin", "ends 2 December", 456, 264)}
            {held("Warehouse dashboards", "ends 20 February", 700, 2200)}
            <p class="small dim" role="listitem">"11 more come with your role. "<a class="link" href="/access">"Why do I have these?"</a></p>
        </Rows></Card>
    }
    .into_any()
}

fn facts(now: DateTime<Utc>) -> AnyView {
    let ticket = view! { <a class="link" href="/gallery">"INC-4312"</a> };
    view! {
        <Card title="This request"><Body><Facts items=vec![
            fact("Opens", "read on orders-prod"), fact("In", "Entra ID · sg-prod-orders-ro-with-a-very-long-group-name-indeed"), fact("Longest", "24 hours"),
            fact_view("Ticket", ticket), fact_view("Asked", view! { <Moment at=now - Duration::hours(30) now=now say=Say::Moment/> }),
            fact_view("Owner", view! { <Who name="Karin Holm" detail="Data platform"/> }),
        ]/></Body></Card>
        <LinkButton href="/gallery" look=Look::Danger>"Take the request back"</LinkButton>
    }
    .into_any()
}

fn risk() -> AnyView {
    let aside = view! { <Meter on=4 of=6 label="4 of 6"/><b class="small">"high"</b> }.into_any();
    view! {
        <Card title="Risk" aside=aside><Body>
            <div class="bar wrap"><Meter on=1 of=6 label="1 of 6, low"/><Meter on=3 of=6 label="3 of 6, middle"/><Meter on=6 of=6 label="6 of 6, very high"/></div>
            <Progress done=13 of=51 rest="about 9 min left"/>
        </Body></Card>
    }
    .into_any()
}

fn lives(now: DateTime<Utc>) -> AnyView {
    let h = Duration::hours;
    view! {
        <Card title="Lives"><Body>
            <Life start=now - h(1) end=Some(now + h(7)) now=now/><Life start=now - h(7) end=Some(now + h(1)) now=now/>
            <Life start=now - h(9) end=Some(now - h(1)) now=now/><Life start=now + h(9) end=Some(now + h(17)) now=now/><Life start=now - h(9000) end=None now=now/>
        </Body></Card>
    }
    .into_any()
}

fn packages() -> AnyView {
    let one = move |name: &'static str,
                    app: &'static str,
                    text: &'static str,
                    state: Option<State>| {
        view! {
            <article class="card"><div class="body stack stack-3">
                <div class="bar"><Tile name=app/><h3 class="grow">{name}</h3></div><p class="small dim">{text}</p>
                <div class="tags"><Tag words="up to 24 hours"/><Tag words="about 25 min"/></div>
                <div class="bar"><span class="grow"></span>{match state { Some(state) => view! { <Badge state=state words="you have it"/> }.into_any(), None => view! { <LinkButton href="/catalog" small=true label=format!("Ask for {name}")>"Ask"</LinkButton> }.into_any() }}</div>
            </div></article>
        }
    };
    view! {
        <section class="stack stack-3"><div class="bar wrap"><h2>"People like you have"</h2><Segments label="Which packages" items=vec![
            Segment { words: "For you".into(), href: "/gallery".into(), current: true }, Segment { words: "All".into(), href: "/gallery?all".into(), current: false },
            Segment { words: "By application".into(), href: "/gallery?app".into(), current: false }]/>
            <div class="tags"><Tag words="Finance" href="/gallery" current=true/><Tag words="Low risk" href="/gallery"/></div></div>
        <div class="tiles">
            {one("Production database, read", "PostgreSQL orders", "Look up live order and payment rows. Nothing can be changed.", None)}
            {one("Salesforce, forecast viewer", "Salesforce", "See the sales forecast of your region.", Some(State::Ready))}
            {one(LONG, "SAP ERP", "Create and change supplier records.", None)}
        </div></section>
    }
    .into_any()
}

fn table(now: DateTime<Utc>) -> AnyView {
    let row = move |name: &'static str, what: &'static str, held: &'static str, state| {
        vec![
            cell_view(view! { <Who name=name detail="Finance, Gothenburg" href="/people/1"/> }),
            cell(what),
            cell_view(view! { <Badge state=state/> }),
            cell_view(view! { <Moment at=now - Duration::hours(30) now=now say=Say::Stamp/> }),
            cell(held),
        ]
    };
    view! {
        <Card title="Holders"><Table label="Who holds it" columns=vec![column("Person"), column("Access"), column("State"), column("Since"), numbers("Times")] rows=vec![
            row("Tomas Ek", "Payment run, approve", "12", State::Ready), row("Maya Rao", LONG, "1,204", State::EndsSoon), row("Sara Blom", "Ledger, read", "1", State::Attention)]/></Card>
    }
    .into_any()
}

fn marks() -> AnyView {
    view! {
        <Card title="Marks"><Body>
            <div class="tags">{State::ALL.iter().map(|state| view! { <Badge state=*state words=if state.word().is_empty() { "due in 6 days" } else { "" }/> }).collect_view()}</div>
            <div class="bar wrap">{["Astrid Lindqvist", "Johan Nyberg", "Maya Rao", "Tomas Ek", "Elin Berg", "Karin Holm", "Sara Blom", "Li Wei"].map(|name| view! { <Avatar name=name/> }).collect_view()}<Avatar name="Astrid Lindqvist" size=Size::Small/><Avatar name="Johan Nyberg" size=Size::Large/></div>
            <div class="bar wrap">{["a", "b", "c", "d", "e", "f"].map(|tint| view! { <Tile name="Figma" tint=tint/> }).collect_view()}{["Salesforce", "Azure", "GitHub", "Jira", "Workday", "Snowflake", "Coupa"].map(|name| view! { <Tile name=name/> }).collect_view()}<Tile name="SAP" size=Size::Large/><Tile name="Figma" size=Size::Small/></div>
            <div class="bar wrap">{Sign::ALL.iter().map(|sign| view! { <Icon sign=*sign/> }).collect_view()}</div>
            <div class="btns"><Button look=Look::Primary>"Primary"</Button><Button>"Plain"</Button><Button look=Look::Danger>"Danger"</Button><Button look=Look::DangerSure>"Sure"</Button><Button look=Look::Quiet>"Quiet"</Button><Button small=true>"Small"</Button><span><kbd>"G"</kbd>" "<kbd>"A"</kbd></span></div>
        </Body></Card>
    }
    .into_any()
}

fn notes() -> AnyView {
    view! {
        <div class="stack stack-3">
            <Note title="By the way.">"Nothing is wrong."</Note><Note tone=Tone::Good>"Your request is on its way."</Note><Note tone=Tone::Wait title="Ends today.">"Extend it before 17:00, or it is removed."</Note>
            <Note tone=Tone::Work>"Entra ID is busy; we go on by ourselves."</Note><Note tone=Tone::Bad title="That did not go through.">"Nothing was changed."</Note>
            <More summary="How this was decided"><p class="dim">"The policy of the package, version 14, asks manager and security."</p></More>
        </div>
    }
    .into_any()
}

fn form() -> AnyView {
    view! {
        <Card title="A form"><Body><form class="fields" method="post" action="/gallery">
            <Faults faults=vec!["The package changed since you opened this page.".into()]/>
            <TextArea name="reason" label="Why do you need it?" hint="A sentence that your manager understands." value="Incident" error="Say a little more: at least 10 characters." required=true/>
            <DurationField name="duration" label="For how long?" quick=quick(Duration::hours(8), Duration::days(30)) longest=Duration::days(30) chosen=Chosen::span(Duration::hours(8)) hint="It ends by itself."/>
            <TextField name="ticket" label="Ticket" hint="Such as INC-4312."/>
            <Select name="scope" label="Which region?" options=vec![choice("n", "Nordics"), choice("d", "DACH")] value="d" required=true/>
            <RadioCards name="for" label="For whom?" across=true required=true value="me" options=vec![Choice { value: "me".into(), label: "For me".into(), detail: Some("The usual".into()) }, choice("other", "For somebody else")]/>
            <TextField name="start" label="From when?" kind="datetime-local" hint="In UTC."/>
            <Check name="read" label="I have read the rules for customer data" required=true error="Please confirm."/>
            <div class="btns"><Button look=Look::Primary>"Ask for access"</Button><LinkButton href="/gallery" look=Look::Quiet>"Not now"</LinkButton></div>
        </form></Body></Card>
    }
    .into_any()
}

fn empties() -> AnyView {
    view! {
        <div class="tiles">
            <Card title="Decisions"><Empty sign=Sign::Check title="Nothing waits for you" text="When somebody needs your decision it appears here, and you get a mail."/></Card>
            <Card title="Requests"><Empty sign=Sign::Request title="You have asked for nothing yet" text="Find what you need in the catalogue; most things are ready within the hour."><LinkButton href="/catalog" look=Look::Primary>"Open the catalogue"</LinkButton></Empty></Card>
        </div>
    }
    .into_any()
}
