from django.contrib.auth import views as auth
from django.urls import path
from django.views.decorators.cache import cache_control
from django.views.i18n import JavaScriptCatalog, set_language

from reviews.web import comparing, datasets, desk, projects, questions, rounds, signing_in, specs, traces
from reviews.web.audit import downloads
from reviews.web.audit import pages as audit

# The address names the language (`?de`), so a browser may keep each for a while.
js_catalogue = cache_control(private=True, max_age=3600)(JavaScriptCatalog.as_view(packages=["reviews"]))

urlpatterns = [
    path("language", set_language, name="set-language"),
    path("jsi18n", js_catalogue, name="js-catalogue"),
    path("", projects.home, name="home"),
    path("sign-in", auth.LoginView.as_view(template_name="reviews/sign_in.html"), name="sign-in"),
    path("sign-out", auth.LogoutView.as_view(), name="sign-out"),
    path("enter/<str:secret>", signing_in.enter, name="enter"),
    path("invitations/<str:secret>", signing_in.invitation, name="invitation"),
    path("invitations/<str:secret>/accept", signing_in.accept, name="accept-invitation"),
    path("me", projects.account, name="account"),
    path("me/tokens/<int:pk>/revoke", projects.revoke_token, name="revoke-token"),
    path("projects/new", projects.new_project, name="new-project"),
    path("p/<slug:slug>", projects.project, name="project"),
    path("p/<slug:slug>/members", projects.members, name="members"),
    path("p/<slug:slug>/members/invite", projects.invite, name="invite"),
    path("p/<slug:slug>/members/<int:pk>/remove", projects.remove_member, name="remove-member"),
    path("p/<slug:slug>/spec", specs.spec, name="spec"),
    path("p/<slug:slug>/log", projects.log, name="log"),
    path("p/<slug:slug>/rounds/new", rounds.new_round, name="new-round"),
    path("p/<slug:slug>/rounds/<int:pk>", rounds.round_page, name="round"),
    path("p/<slug:slug>/rounds/<int:pk>/state", rounds.set_state, name="round-state"),
    path("p/<slug:slug>/rounds/<int:pk>/import", rounds.import_file, name="import-file"),
    path("p/<slug:slug>/rounds/<int:pk>/export", datasets.export, name="export"),
    path("p/<slug:slug>/rounds/<int:pk>/traces", traces.traces, name="traces"),
    path("p/<slug:slug>/rounds/<int:pk>/disputes", rounds.disputes, name="disputes"),
    path("p/<slug:slug>/rounds/<int:pk>/questions", questions.questions, name="questions"),
    path("p/<slug:slug>/rounds/<int:pk>/requeue", traces.requeue, name="requeue"),
    path("p/<slug:slug>/rounds/<int:pk>/index", traces.index, name="index"),
    path("p/<slug:slug>/questions/<int:pk>/answer", questions.answer, name="answer"),
    path("p/<slug:slug>/traces/<int:pk>/gold", traces.gold, name="gold"),
    path("me/keys", projects.choose_keys, name="choose-keys"),
    path("p/<slug:slug>/rounds/<int:pk>/agreement", audit.agreement, name="agreement"),
    path("p/<slug:slug>/rounds/<int:pk>/agreement/clauses", audit.clauses_page, name="agreement-clauses"),
    path("p/<slug:slug>/rounds/<int:pk>/agreement/readers", audit.readers_page, name="agreement-readers"),
    path("p/<slug:slug>/rounds/<int:pk>/agreement/report.html", downloads.report, name="agreement-report"),
    path(
        "p/<slug:slug>/rounds/<int:pk>/agreement/<str:what>.<str:ending>",
        downloads.rows,
        name="agreement-rows",
    ),
    path("p/<slug:slug>/rounds/<int:pk>/review", desk.desk, name="desk"),
    path("p/<slug:slug>/rounds/<int:pk>/next", desk.next_trace, name="next-trace"),
    path("p/<slug:slug>/rounds/<int:pk>/undo", desk.undo, name="undo"),
    path("p/<slug:slug>/rounds/<int:pk>/mine", desk.mine, name="mine"),
    path("p/<slug:slug>/rounds/<int:pk>/compare", comparing.decide, name="compare"),
    path("p/<slug:slug>/rounds/<int:pk>/skip", comparing.skip, name="skip-look"),
    path("p/<slug:slug>/imports/<int:pk>", rounds.import_page, name="import"),
    path("p/<slug:slug>/imports/<int:pk>/refused", rounds.refused_lines, name="refused-lines"),
    path("p/<slug:slug>/imports/<int:pk>/read-again", rounds.read_again, name="read-again"),
    path("p/<slug:slug>/imports/<int:pk>/withdraw", rounds.withdraw_import, name="withdraw-import"),
    path("p/<slug:slug>/prompts/<int:pk>", traces.prompt, name="prompt"),
    path("p/<slug:slug>/traces/<int:pk>", traces.trace, name="trace"),
    path("p/<slug:slug>/traces/<int:pk>/adjudicate", rounds.adjudicate, name="adjudicate"),
    path("p/<slug:slug>/datasets/<int:pk>", datasets.dataset_page, name="dataset"),
    path("p/<slug:slug>/datasets/<int:pk>/go-on", datasets.go_on, name="go-on"),
    path("p/<slug:slug>/datasets/<int:pk>/files/<path:name>", datasets.file, name="dataset-file"),
    path("assignments/<int:pk>/review", desk.decide, name="decide"),
    path("assignments/<int:pk>/skip", desk.skip, name="skip"),
    path("assignments/<int:pk>/ask", desk.ask, name="ask"),
    path("assignments/<int:pk>/rendered", desk.rendered, name="rendered"),
    path("assignments/<int:pk>/renew", desk.renew, name="renew"),
    path("reviews/<int:pk>/withdraw", desk.withdraw, name="withdraw"),
    path("jobs/<int:pk>", datasets.job, name="job"),
    path("jobs/<int:pk>/cancel", datasets.cancel_job, name="cancel-job"),
]
