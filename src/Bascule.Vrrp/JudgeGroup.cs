using System.Collections.Immutable;
using Bascule.Core.Roles;

namespace Bascule.Vrrp;

/// <summary>
/// Instances that move together: a director has all their addresses, or none. As keepalived's sync groups decide:
/// <list type="bullet">
/// <item>They run when all of them can; one that is held back by what it tracks holds all back.</item>
/// <item>They become Active when the timers of all have run out: as long as a stronger router serves for one, all stay Backup.</item>
/// <item>When one gives way or hands over, all do, and the others say goodbye.</item>
/// </list>
/// </summary>
public sealed class JudgeGroup
{
    private readonly ImmutableArray<Judge> _members;

    /// <param name="members">Each in no other group, none started.</param>
    public JudgeGroup(ImmutableArray<Judge> members)
    {
        _members = members;
        foreach (Judge member in members)
            member.Join(this);
    }

    internal bool AllWantActive
    {
        get
        {
            foreach (Judge member in _members)
            {
                if (!member.WantsActive && member.Role != Role.Active)
                    return false;
            }

            return true;
        }
    }

    internal void Settle(TimeSpan now)
    {
        bool mayRun = true;
        foreach (Judge member in _members)
            mayRun &= member.CanRun;
        foreach (Judge member in _members)
            member.Follow(mayRun, now);
        foreach (Judge member in _members)
        {
            if (member.Role == Role.Active)
                Changed(member, Role.Initialize, now); // the owner of the addresses is Active from the start
        }
    }

    internal void Changed(Judge changed, Role before, TimeSpan now)
    {
        bool concernsAll = changed.Role == Role.Active || (before == Role.Active && changed.Role == Role.Backup);
        if (!concernsAll)
            return;

        foreach (Judge member in _members)
        {
            if (member != changed)
                member.Follow(changed.Role, now);
        }
    }
}
