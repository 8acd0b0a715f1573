/* leasts.h - the least arguments with which each command runs.
 *
 * Shape    a row for each command, in the words of words_of: name=text name:list name#number.
 * Threads  constant data only.
 */
#pragma once

/* The least that each command takes. */
static const struct least {
    const char *command, *args;
} leasts[] = {
    {"package.add", "id=P1 source=/src"},
    {"package.update", "id=P1"},
    {"package.set", "id=P1"},
    {"package.list", ""},
    {"package.show", "id=P1"},
    {"package.remove", "id=P1"},
    {"dp.add", "name=a root=/a"},
    {"dp.set", "name=a"},
    {"dp.adopt", "name=a"},
    {"dp.list", ""},
    {"dp.show", "name=a"},
    {"dp.pause", "name=a"},
    {"dp.resume", "name=a"},
    {"dp.remove", "name=a"},
    {"group.add", "name=g dps:a,b"},
    {"group.list", ""},
    {"group.remove", "name=g"},
    {"link.set", "name=wan"},
    {"link.list", ""},
    {"link.remove", "name=wan"},
    {"site.set", "rate#1000"},
    {"distribute", "id=P1 to:a,@g"},
    {"withdraw", "id=P1 from:a"},
    {"status", ""},
    {"rollback", "id=P1 version=1"},
    {"retry", "id=P1"},
    {"cancel", "id=P1"},
    {"plan", "id=P1 to:a,@g"},
    {"prioritize", "id=P1 priority=high"},
    {"verify", "id=P1"},
    {"store.check", ""},
    {"store.rebuild", ""},
    {"store.collect", ""},
    {"site.backup", "dir=/backup"},
    {"status.since", ""},
    {"component.list", ""},
    {"component.show", "name=despooler"},
    {"component.start", "name=despooler"},
    {"component.stop", "name=despooler"},
    {"component.pause", "name=despooler"},
    {"component.resume", "name=despooler"},
    {"component.restart", "name=despooler"},
    {"component.set", "name=despooler slots#2"},
    {"quarantine.list", ""},
    {"quarantine.show", "number#1"},
    {"quarantine.retry", "number#1"},
    {"quarantine.drop", "number#1"},
    {"blackbox", ""},
    {"graph", ""},
    {"ping", ""},
    {"stop", ""},
};
